import type { ErrorObject } from 'ajv';
import { parseDuration } from '../../workflows/plan/values/duration.ts';
import { isMap } from '../../workflows/plan/values/json.ts';
import { flowText } from '../schema/shown-example.ts';

/** Suggests a valid duration for a number, or for text with spaces. For keys that Airflow has too, a number means seconds. */
export function unitHint({ parentSchema, data }: ErrorObject, key: string | number | undefined): string | undefined {
  if ((parentSchema as { format?: string } | undefined)?.format !== 'duration') return undefined;
  const text = String(data);
  if (/^\d{1,8}$/.test(text) && Number(text) > 0) {
    return /(?:timeout|delay|poke_interval)$/.test(String(key))
      ? `write ${exactDuration(Number(text))} for ${text} seconds`
      : `add a unit: ${text}s, ${text}m, ${text}h or ${text}d`;
  }
  const joined = text.replace(/\s+/g, '');
  return joined !== text && parseDuration(joined) !== undefined ? `write ${joined}` : undefined;
}

/** Formats seconds exactly in the largest units: 3600 is 1h, 5400 is 1h30m. */
function exactDuration(seconds: number): string {
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
  if (type === 'string' && (typeof data === 'number' || typeof data === 'boolean')) return `put it in quotes: "${text}"`;
  if (type === 'array' && isMap(data) && parentSchema?.title === 'Tasks')
    return 'write a list: `- name: …` for each; `sluice import` converts files of Airflow and dag-factory';
  if (type === 'object' && parentSchema?.title === 'Schedule' && (data === null || typeof data === 'string' || isTexts(data))) {
    const written = data === null || /^none$/i.test(String(data)) ? 'null' : flowText(data);
    return `write \`schedule_interval: ${written}\`; \`schedule\` is its long form, a map`;
  }
  const items = parentSchema?.items as unknown;
  if (type === 'array' && typeof data === 'string' && isMap(items) && items.type === 'string')
    return `write it as a list: [${PLAIN_WORDS.test(data) ? data : JSON.stringify(data)}]`;
  if ((type === 'integer' || type === 'number') && typeof data === 'string' && /^(?:0|[1-9]\d{0,14})$/.test(data))
    return `leave the quotes out: ${data}`;
  return undefined;
}

function isTexts(data: unknown): data is string[] {
  return Array.isArray(data) && data.every((each) => typeof each === 'string');
}

/** Words that need no quotes in a list. */
const PLAIN_WORDS = /^[A-Za-z_][\w.-]*(?:, *[A-Za-z_][\w.-]*)*$/;
