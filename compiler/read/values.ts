import { parseDuration } from '../../workflows/plan/values/duration.ts';
import type { Json } from '../../workflows/plan/values/json.ts';

/** A text value; undefined for other values, which are reported elsewhere. */
export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A duration in milliseconds; undefined for other values, which are reported elsewhere. */
export function durationOf(value: Json | undefined): number | undefined {
  return typeof value === 'string' ? parseDuration(value) : undefined;
}
