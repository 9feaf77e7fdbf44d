import { formatCount } from '../values/format.ts';

/** The result of a comparison, as its sentence states it: counts, and the share in percent. */
export interface Mismatch {
  readonly differing: number;
  readonly compared: number;
  readonly what: 'rows' | 'groups';
  /** The two compared sides, as text. */
  readonly between: string;
  /** `0.3` for 0.3 %. */
  readonly percent: string;
  /** As written in the task: `0.1%`. */
  readonly tolerance: string;
}

/** The first sentence of a comparison that found differences. */
export function mismatchText({ differing, compared, what, between, percent, tolerance }: Mismatch): string {
  return `${formatCount(differing)} of ${formatCount(compared)} ${what} of ${between} differ: ${percent} %, tolerated ${tolerance}.`;
}

/** How a comparison's message names the file that lists all differences. */
export function reportText(uri: string): string {
  return `All: ${uri}`;
}

/** The parts read back from such a sentence. */
export interface ReadMismatch {
  /** Without the two sides: `12 of 4,000 rows differ: 0.3 %, tolerated 0.1%`. */
  readonly short: string;
  readonly report?: string;
}

/** Parses the message of a comparison. @returns undefined when `text` is not such a message, or reports no differences */
export function readMismatch(text: string): ReadMismatch | undefined {
  const match = /^([\d,]+ of [\d,]+ (?:rows|groups)) of .+? differ: (\S+ %, tolerated [\d.]+%?)\.(?:\s|$)/s.exec(text);
  if (!match) return undefined;
  const report = /\sAll: (s3:\/\/\S+)/.exec(text)?.[1];
  return { short: `${match[1]} differ: ${match[2]}`, ...(report !== undefined && { report }) };
}
