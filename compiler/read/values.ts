import { parseDuration } from '../../workflows/plan/values/duration.ts';
import type { Json } from '../../workflows/plan/values/json.ts';

/** A text of a file; undefined where it has something else, which is reported elsewhere. */
export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A duration of a file in milliseconds; undefined where it has something else, which is reported elsewhere. */
export function durationOf(value: Json | undefined): number | undefined {
  return typeof value === 'string' ? parseDuration(value) : undefined;
}
