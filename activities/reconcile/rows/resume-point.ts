import type { Json } from '../../../workflows/plan/values/json.ts';
import type { KeyLine, KeyRange } from './key-range.ts';

/** The progress of an attempt. */
export interface ResumePoint {
  readonly lines: readonly KeyLine[];
  /** How many stripes of the lines are done. */
  readonly stripes: number;
  readonly compared: number;
  readonly differing: readonly KeyRange[];
}

/** More differing ranges than this are not recorded, and are searched again: progress must stay small. */
const KEPT_RANGES = 500;

/**
 * The point from which a later attempt resumes.
 * @param progress `of`: the number of all stripes, for display
 */
export function resumePoint({ lines, stripes, of: all, compared, differing }: ResumePoint & { readonly of: number }): Json {
  return {
    stripes,
    of: all,
    lines: lines.map(({ from, to, parts }) => [String(from), String(to), parts]),
    compared,
    ...(differing.length <= KEPT_RANGES && { differing: differing.map(({ from, to }) => [String(from), String(to)]) }),
  };
}

/** The point that an earlier attempt reached; the start if it found more differences than it could record. */
export function readResumePoint(point: Json | undefined): ResumePoint {
  const saved = (typeof point === 'object' ? point : undefined) as
    | {
        readonly stripes?: number;
        readonly compared?: number;
        readonly lines?: [string, string, number][];
        readonly differing?: [string, string][];
      }
    | null
    | undefined;
  const { stripes, compared, lines, differing } = saved ?? {};
  if (stripes === undefined || compared === undefined || lines === undefined || differing === undefined) {
    return { lines: [], stripes: 0, compared: 0, differing: [] };
  }
  return {
    lines: lines.map(([from, to, parts]) => ({ from: BigInt(from), to: BigInt(to), parts })),
    stripes,
    compared,
    differing: differing.map(([from, to]) => ({ from: BigInt(from), to: BigInt(to) })),
  };
}
