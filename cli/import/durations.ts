import type { Json } from '../../workflows/plan/values/json.ts';
import { parseDuration } from '../../workflows/plan/values/duration.ts';

const UNITS: Readonly<Record<string, number>> = {
  weeks: 604_800_000,
  days: 86_400_000,
  hours: 3_600_000,
  minutes: 60_000,
  seconds: 1000,
  milliseconds: 1,
  microseconds: 0.001,
};

/**
 * Parses a duration from any format of Airflow and dag-factory to milliseconds: seconds, `{__type__: datetime.timedelta, hours: 1}`,
 * `{"__type": "timedelta", "__var": 60.0}`, `{"__type": "TimeDelta", "days": 1, …}`, `PT1H`, `1 day, 2:00:00`, `2 days`.
 * @returns undefined if the value is not a duration
 */
export function readDuration(value: Json): number | undefined {
  if (typeof value === 'number') return value >= 0 ? value * 1000 : undefined;
  if (typeof value === 'string') return readText(value.trim());
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { __type: encoded, __type__: type, __var: seconds, __args__: days, ...rest } = value as Readonly<Record<string, Json>>;
  if (encoded === 'timedelta') return seconds === undefined ? undefined : readDuration(seconds);
  if (encoded !== 'TimeDelta' && type !== 'datetime.timedelta') return undefined;
  const amounts = Object.entries({ ...rest, ...(Array.isArray(days) && { days: days[0] as Json }) });
  if (amounts.some(([unit, amount]) => !Object.hasOwn(UNITS, unit) || typeof amount !== 'number')) return undefined;
  return amounts.reduce((sum, [unit, amount]) => sum + Number(amount) * (UNITS[unit] ?? 0), 0);
}

function readText(text: string): number | undefined {
  const clock = /^(?:(\d+) days?, )?(\d+):(\d{2}):(\d{2})$/.exec(text);
  if (clock) {
    const [, days = '0', hours, minutes, seconds] = clock;
    return (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  }
  const words = /^(\d+)\s+(week|day|hour|minute|second)s?$/i.exec(text);
  if (words) return Number(words[1]) * (UNITS[`${words[2]?.toLowerCase()}s`] ?? 0);
  return text.startsWith('P') ? parseDuration(text) : undefined;
}

/** Formats `ms` exactly, as pipelines write it: `1h30m`, `90d`. */
export function durationText(ms: number): string {
  let rest = Math.round(ms);
  const parts = Object.entries({ d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 }).map(([unit, size]) => {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    return amount > 0 ? `${amount}${unit}` : '';
  });
  return parts.join('') || '0s';
}
