import type { Json } from '../../../workflows/plan/values/json.ts';
import type { KeyLine, KeyRange } from './key-range.ts';

/** How far an attempt has come. */
export interface ResumePoint {
  readonly lines: readonly KeyLine[];
  /** So many stripes of the lines are done. */
  readonly stripes: number;
  readonly compared: number;
  readonly differing: readonly KeyRange[];
}

/** More differing ranges are found again rather than kept: progress is small. */
const KEPT_RANGES = 500;

/**
 * What a later attempt resumes from.
 * @param progress `of`: the number of all stripes, which people are shown
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

/** Where an attempt before has come to: nowhere, when it has found more differences than it could write down. */
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
