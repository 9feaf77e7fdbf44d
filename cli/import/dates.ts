import { parseMoment } from '../../workflows/plan/timetable/moment.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';

const DATE = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * Parses a date or time from any format of Airflow and dag-factory: text, seconds since 1970,
 * `{"__type": "datetime", "__var": 1704067200.0}`, `{__type__: datetime.datetime, year: 2024, month: 1, day: 1}`.
 * @returns the date as pipelines write it; undefined if the value is not a date, such as `2 days`
 */
export function readDate(value: Json): string | undefined {
  if (typeof value === 'number') return Math.abs(value) < 1e11 ? readDate(new Date(value * 1000).toISOString()) : undefined;
  if (typeof value === 'string') return readText(value.trim());
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { __type: encoded, __var: seconds, __type__: type, year, month, day, hour = 0, minute = 0 } = value as JsonObject;
  if (encoded === 'datetime') return seconds === undefined ? undefined : readDate(seconds);
  if (type !== 'datetime.datetime' && type !== 'datetime.date') return undefined;
  const parts = [year, month, day, hour, minute].map((part) => String(part as Json).padStart(2, '0'));
  return readText(`${parts.slice(0, 3).join('-')}T${parts.slice(3).join(':')}`);
}

function readText(text: string): string | undefined {
  const match = DATE.exec(text);
  if (!match || parseMoment(match[1] ?? '', 'UTC') === undefined) return undefined;
  const [, day = '', time = '00:00', zone = ''] = match;
  const utc = zone === '' || zone === 'Z' || /^[+-]00:?00$/.test(zone);
  // Midnight UTC means the day. In another zone the time is kept, because the day may differ there.
  if (/^00:00(?::00)?$/.test(time) && utc) return day;
  const normal = zone === '' ? '' : utc ? 'Z' : zone.replace(/^([+-]\d{2}):?(\d{2})$/, '$1:$2');
  return `${day}T${time}${normal}`;
}
