import { formatCount } from '../values/format.ts';

/** What a comparison has found, as its sentence begins: counts, and the parts in percent. */
export interface Mismatch {
  readonly differing: number;
  readonly compared: number;
  readonly what: 'rows' | 'groups';
  /** The two sides, for people. */
  readonly between: string;
  /** `0.3` for 0.3 %. */
  readonly percent: string;
  /** As the task gives it: `0.1%`. */
  readonly tolerance: string;
}

/** The first sentence of a comparison that has found differences. */
export function mismatchText({ differing, compared, what, between, percent, tolerance }: Mismatch): string {
  return `${formatCount(differing)} of ${formatCount(compared)} ${what} of ${between} differ: ${percent} %, tolerated ${tolerance}.`;
}

/** How the sentences of a comparison name the file that lists all differences. */
export function reportText(uri: string): string {
  return `All: ${uri}`;
}

/** What is read back of such sentences. */
export interface ReadMismatch {
  /** Without the two sides: `12 of 4,000 rows differ: 0.3 %, tolerated 0.1%`. */
  readonly short: string;
  readonly report?: string;
}

/** Reads the sentences of a comparison. @returns undefined when `text` is none, or one in which nothing differs */
export function readMismatch(text: string): ReadMismatch | undefined {
  const match = /^([\d,]+ of [\d,]+ (?:rows|groups)) of .+? differ: (\S+ %, tolerated [\d.]+%?)\.(?:\s|$)/s.exec(text);
  if (!match) return undefined;
  const report = /\sAll: (s3:\/\/\S+)/.exec(text)?.[1];
  return { short: `${match[1]} differ: ${match[2]}`, ...(report !== undefined && { report }) };
}
