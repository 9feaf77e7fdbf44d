import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';

/** The value at a JSON pointer (RFC 6901) such as `/models/0/version`; undefined if it does not exist. */
export function atPointer(value: Json, pointer: string): Json | undefined {
  let at: Json | undefined = value;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = Array.isArray(at) ? (at as readonly Json[])[Number(key)] : (at as JsonObject)[key];
  }
  return at;
}
