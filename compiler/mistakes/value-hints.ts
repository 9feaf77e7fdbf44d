import type { ErrorObject } from 'ajv';
import { parseDuration } from '../../workflows/plan/values/duration.ts';
import { isMap } from '../../workflows/plan/values/json.ts';
import { TEXT_FORMATS } from '../../workflows/plan/values/text-formats.ts';
import { flowText } from '../schema/shown-example.ts';
import { secondsMeant } from './seconds-meant.ts';
import { zoneHint } from './zone-hint.ts';

interface ValueSchema {
  readonly title?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly items?: unknown;
}

/** Suggests a valid duration or time zone. For keys that Airflow has too, a bare number means seconds. */
export function unitHint({ parentSchema, data }: ErrorObject, key: string | number | undefined): string | undefined {
  const { format } = (parentSchema ?? {}) as ValueSchema;
  if (format === 'time-zone' && typeof data === 'string') return zoneHint(data);
  if (format !== 'duration') return undefined;
  const text = String(data);
  if (/^\d{1,8}$/.test(text) && Number(text) > 0) {
    return /(?:timeout|delay|poke_interval)$/.test(String(key))
      ? `write ${exactDuration(Number(text))} for ${text} seconds`
      : `add a unit: ${text}s, ${text}m, ${text}h or ${text}d`;
  }
  const joined = text.replace(/\s+/g, '');
  if (joined !== text && parseDuration(joined) !== undefined) return `write ${joined}`;
  const seconds = secondsMeant(data);
  return seconds !== undefined && seconds > 0 ? `write ${exactDuration(seconds)}` : 'write a duration such as 30s, 15m or 1h30m';
}

/** Formats seconds exactly in the largest units: 3600 is 1h, 5400 is 1h30m. */
export function exactDuration(seconds: number): string {
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor((seconds % 86_400) / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'm'],
    [seconds % 60, 's'],
  ];
  return parts.flatMap(([amount, unit]) => (amount > 0 ? [`${amount}${unit}`] : [])).join('');
}

/**
 * Suggests a value of the right type.
 * @param text the value as written in the file, because the hint must not change it: 007 is parsed as 7
 */
export function typeHint({ data, parentSchema }: ErrorObject, type: unknown, text: string): string | undefined {
  const schema = (parentSchema ?? {}) as ValueSchema;
  if (schema.title === 'Schedule') return scheduleHint(data, type);
  // Text that the key does not accept either would only be the next mistake.
  if (type === 'string' && (typeof data === 'number' || typeof data === 'boolean'))
    return fits(text, schema) ? `put it in quotes: "${text}"` : undefined;
  if ([type].flat().includes('boolean') && typeof data === 'string') return booleanHint(data);
  if (type === 'array' && isMap(data) && schema.title === 'Tasks')
    return 'write a list: `- name: …` for each; `sluice import` converts files of Airflow and dag-factory';
  const { items } = schema;
  if (type === 'array' && typeof data === 'string' && isMap(items) && items.type === 'string') {
    if (PLAIN_COMMAND.test(data) && /^(?:Arguments|Application arguments)$/.test(schema.title ?? ''))
      return `write it as a list: [${data.split(' ').map(flowText).join(', ')}]`;
    return `write it as a list: [${PLAIN_WORDS.test(data) ? data : JSON.stringify(data)}]`;
  }
  if ((type === 'integer' || type === 'number') && typeof data === 'string' && /^(?:0|[1-9]\d{0,14})$/.test(data))
    return `leave the quotes out: ${data}`;
  return undefined;
}

/** Whether a text has the form that a key accepts. */
function fits(text: string, { format, pattern }: ValueSchema): boolean {
  const formats: Readonly<Record<string, (text: string) => boolean>> = TEXT_FORMATS;
  return (pattern === undefined || new RegExp(pattern, 'u').test(text)) && (format === undefined || formats[format]?.(text) !== false);
}

/** YAML 1.2 reads only true and false as booleans; earlier versions and Python have other words. */
function booleanHint(text: string): string | undefined {
  if (text === 'true' || text === 'false') return `leave the quotes out: ${text}`;
  return /^(?:true|yes|y|on|false|no|n|off)$/i.test(text) ? 'the only words for it are true and false, without quotes' : undefined;
}

/** The short form of a schedule, which Airflow calls `schedule`. */
function scheduleHint(data: unknown, type: unknown): string | undefined {
  if (type !== 'object') {
    const seconds = isMap(data) ? secondsMeant(data) : undefined;
    return seconds !== undefined && seconds > 0 ? `write ${exactDuration(seconds)}` : undefined;
  }
  const isNone = data === null || (typeof data === 'string' && /^none$/i.test(data));
  const isShort = isTexts(data) || (typeof data === 'string' && SHORT_SCHEDULE.test(data));
  if (!isNone && !isShort) return undefined;
  const written = isShort ? flowText(data) : 'null';
  return `write \`schedule_interval: ${written}\`; the long form is a map, for example \`schedule: {cron: "0 6 * * *"}\``;
}

/** A preset, cron or a duration. */
const SHORT_SCHEDULE = /^(?:@\w+|\S+(?: +\S+){4}|\d+[smhdw])$/;

function isTexts(data: unknown): data is string[] {
  return Array.isArray(data) && data.every((each) => typeof each === 'string');
}

/** Words that need no quotes in a list. */
const PLAIN_WORDS = /^[A-Za-z_][\w.-]*(?:, *[A-Za-z_][\w.-]*)*$/;
/** A program and its arguments, without anything that a shell would change. */
const PLAIN_COMMAND = /^[\w./=:@%+-]+(?: [\w./=:@%+-]+)+$/;
