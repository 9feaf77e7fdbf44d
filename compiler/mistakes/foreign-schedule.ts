import { secondsMeant } from './seconds-meant.ts';
import { exactDuration } from './value-hints.ts';

/** What to write for a schedule of another system: `@every 5m`, `1 day`, `None`, cron with a time zone or with seconds. */
export function foreignSchedule(text: string): string | undefined {
  const given = text.trim();
  if (/^@?(?:none|null|manual|never|)$/i.test(given)) return 'for runs by hand only, write null: schedule_interval: null';
  if (/^@once$/i.test(given)) return 'for a single run, write null and start it with `sluice run`';
  if (/^@(?:continuous|reboot)$/i.test(given)) return 'write a duration, such as 1m, with max_active_runs: 1';
  const seconds = secondsMeant(given.replace(/^@every\s+/i, ''));
  if (seconds !== undefined && seconds > 0) return `write ${exactDuration(seconds)}`;
  const [, zoneBefore, rest] = /^(?:CRON_)?TZ=(\S+)\s+(.*)$/.exec(given) ?? [];
  const [, before, zoneBehind] = /^(.*\S)\s+([A-Za-z]+\/[A-Za-z_/]+)$/.exec(given) ?? [];
  const zone = zoneBefore ?? zoneBehind;
  if (zone !== undefined) return `write schedule: {cron: "${rest ?? before ?? ''}", timezone: ${zone}}`;
  const fields = given.split(/\s+/);
  if (fields.length === 6 || fields.length === 7) return 'leave out the fields of seconds and years';
  if (given.includes('?')) return 'write * in place of ?';
  const day = /\b(mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)day\b/i.exec(given)?.[0];
  return day === undefined ? undefined : `write ${day.slice(0, 3).toLowerCase()} for ${day}`;
}
