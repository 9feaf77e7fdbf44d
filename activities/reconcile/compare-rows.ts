import type { Json } from '../../workflows/plan/values/json.ts';
import { userFault } from '../run/errors.ts';
import type { ColumnPair, Expressions } from './canonical.ts';
import { isInteger } from './column-family.ts';
import { type RowExpressions, rowExpressions, SIDES, type SideName, type Sides } from './row-expressions.ts';

/** Texts of a row's columns. */
type Row = readonly (string | null)[];

/** A row that is not the same on both sides; a side that lacks it has no values. All values are canonical texts. */
export interface Difference {
  readonly key: readonly (string | null)[];
  readonly source: readonly (string | null)[] | undefined;
  readonly target: readonly (string | null)[] | undefined;
}

export interface RowComparison {
  readonly sides: Sides;
  readonly keys: readonly ColumnPair[];
  readonly columns: readonly ColumnPair[];
  /** SQL conditions of rows that come too late to be compared; a row that is late on one side is compared on neither. */
  readonly late: { readonly source: string; readonly target: string } | undefined;
  readonly resumePoint: Json | undefined;
  progress(point: Json): void;
  /** Called with each difference, in no order. */
  found(difference: Difference): Promise<void>;
}

export interface RowCounts {
  /** Rows that were compared: those of the source, and those that only the target has. */
  readonly compared: number;
  readonly changed: number;
  /** In the source only. */
  readonly missing: number;
  /** In the target only. */
  readonly extra: number;
}

/** Rows of a segment: the fewer, the more sums are handed over; the more, the more rows are read where two differ. */
const SEGMENT_ROWS = 1_000;
/** Rows that one statement sums up: what is lost when a worker dies. */
const STRIPE_ROWS = 1_000_000;
/** A segment with more rows is cut again before its rows are read. */
const READ_AT_MOST = 20_000;
const MOST_STRIPES = 1_000;
const MOST_BUCKETS = 65_536;

/** Rows whose key lies in `[from, to)`, or has no value. */
interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

interface SegmentSum {
  readonly rows: number;
  readonly hash: string;
}

/**
 * Compares two sets of rows as bags: a row that is there twice must be there twice on the other side. Each side sums up its segments by
 * itself; only segments whose sums differ are read, and those that are large are cut again before that.
 */
export async function compareRows(comparison: RowComparison): Promise<RowCounts> {
  const { sides, keys, columns } = comparison;
  const expressions = await rowExpressions(sides, keys, columns);
  const [key] = keys;
  const ranged = keys.length === 1 && key !== undefined && isInteger(key.source) && isInteger(key.target);
  return ranged ? new ByRanges(comparison, expressions, key).run() : new ByBuckets(comparison, expressions).run();
}

/** What both ways have in common: rows that are read, compared and counted. */
abstract class Segments {
  protected readonly comparison: RowComparison;
  protected readonly expressions: RowExpressions;
  protected counts = { compared: 0, changed: 0, missing: 0, extra: 0 };

  constructor(comparison: RowComparison, expressions: RowExpressions) {
    this.comparison = comparison;
    this.expressions = expressions;
  }

  /** FROM and WHERE of rows. */
  protected from(side: SideName, ...conditions: readonly (string | undefined)[]): string {
    const given = conditions.filter((each) => each !== undefined);
    return `FROM (${this.comparison.sides[side].rows}\n) AS compared${given.length === 0 ? '' : ` WHERE ${given.join(' AND ')}`}`;
  }

  /** What holds of the rows that are compared. */
  protected inTime(side: SideName): string | undefined {
    const { late } = this.comparison;
    return late && `(${late[side]}) IS NOT TRUE`;
  }

  /** The texts of a row, and whether it is late. */
  protected values(side: SideName): string {
    const { late } = this.comparison;
    return [...this.expressions.texts.map((text) => text[side]), late ? `CASE WHEN ${late[side]} THEN '1' END` : 'NULL'].join(', ');
  }

  /** Segment → its sum. */
  protected async sums(side: SideName, segment: string, condition?: string): Promise<Map<string, SegmentSum>> {
    const { hash } = this.expressions;
    const rows = await this.comparison.sides[side].texts(
      `SELECT ${segment} AS segment, count(*), sum(${hash[side]}) ${this.from(side, this.inTime(side), condition)} GROUP BY 1`,
    );
    return new Map(rows.map(([name, count, sum]) => [name ?? '', { rows: Number(count), hash: sum ?? '' }]));
  }

  /** Counts the rows of both, and tells which segments differ. */
  protected differing(source: ReadonlyMap<string, SegmentSum>, target: ReadonlyMap<string, SegmentSum>): string[] {
    const names = new Set([...source.keys(), ...target.keys()]);
    return [...names].filter((name) => {
      const [one, other] = [source.get(name), target.get(name)];
      return one?.rows !== other?.rows || one?.hash !== other?.hash;
    });
  }

  /** Compares the rows of one segment, as `values` gives them. What is late on one side is compared on neither. */
  protected async compareSegment(source: readonly Row[], target: readonly Row[]): Promise<void> {
    const { keys } = this.comparison;
    const inTime = (rows: readonly Row[]): Row[] => rows.filter((row) => row.at(-1) === null).map((row) => row.slice(0, -1));
    const isLate = (row: Row): boolean => row.at(-1) !== null;
    const late = new Set([...source, ...target].filter(isLate).map((row) => JSON.stringify(row.slice(0, keys.length))));
    for (const difference of differencesOf(inTime(source), inTime(target), keys.length)) {
      if (late.has(JSON.stringify(difference.key))) {
        if (difference.source) this.counts.compared -= 1;
        continue;
      }
      if (difference.source && difference.target) this.counts.changed += 1;
      else if (difference.source) this.counts.missing += 1;
      else {
        this.counts.extra += 1;
        this.counts.compared += 1;
      }
      await this.comparison.found(difference);
    }
  }
}

/** Keys that are whole numbers: segments are ranges of them, which an index finds, and stripes of many segments are summed up one by one. */
class ByRanges extends Segments {
  readonly #key: Expressions;

  constructor(comparison: RowComparison, expressions: RowExpressions, { name }: ColumnPair) {
    super(comparison, expressions);
    const { source, target } = comparison.sides;
    this.#key = { source: source.dialect.identifier(name), target: target.dialect.identifier(name) };
  }

  async run(): Promise<RowCounts> {
    const { comparison } = this;
    const resumed = readResumePoint(comparison.resumePoint);
    const lines = await this.#lines(resumed.lines);
    const stripes = lines.flatMap(cut);
    this.counts = { ...this.counts, compared: resumed.compared };
    const differing: Range[] = [...resumed.differing];
    for (let index = resumed.stripes; index < stripes.length; index += 1) {
      const stripe = stripes[index];
      if (stripe === undefined) break;
      differing.push(...(await this.#differingIn(stripe, index === 0, (rows) => (this.counts.compared += rows))));
      comparison.progress({
        stripes: index + 1,
        of: stripes.length,
        lines: lines.map(({ from, to, parts }) => [String(from), String(to), parts]),
        compared: this.counts.compared,
        ...(differing.length <= KEPT_RANGES && { differing: differing.map(({ from, to }) => [String(from), String(to)]) }),
      });
    }
    for (const range of differing.sort((one, other) => Number(one.from - other.from))) await this.#compare(range);
    return this.counts;
  }

  /**
   * All keys that there are. Those of attempts before stay cut as they were, however many rows there are now: the first so many of their
   * stripes are done. Keys that have come since, below or above, are lines of their own.
   */
  async #lines(kept: readonly Line[]): Promise<readonly Line[]> {
    const { sides } = this.comparison;
    const [bounds, guess] = await Promise.all([
      Promise.all(
        SIDES.map((side) =>
          sides[side].texts(`SELECT min(${this.#key[side]}), max(${this.#key[side]}) ${this.from(side, this.inTime(side))}`),
        ),
      ),
      Promise.all(SIDES.map((side) => sides[side].guessRows())),
    ]);
    const ends = bounds.flatMap(([row]) => row ?? []).flatMap((text) => (text === null ? [] : [BigInt(text)]));
    const least = ends.reduce(minimum, ends[0] ?? 0n);
    const end = ends.reduce(maximum, ends[0] ?? 0n) + 1n;
    const rows = Math.max(1, ...guess.map((each) => each ?? 1));
    const parts = Math.min(MOST_STRIPES, Math.ceil(rows / STRIPE_ROWS));
    const [first] = kept;
    if (first === undefined) return [{ from: least, to: end, parts }];
    const known = kept.reduce<Range>(({ from, to }, line) => ({ from: minimum(from, line.from), to: maximum(to, line.to) }), first);
    const added = [
      { from: least, to: known.from, parts },
      { from: known.to, to: end, parts },
    ];
    return ends.length === 0 ? kept : [...kept, ...added.filter(({ from, to }) => from < to)];
  }

  /** The segments of a range that differ. */
  async #differingIn(range: Range, withNull: boolean, counted: (rows: number) => void): Promise<Range[]> {
    const width = maximum(1n, (range.to - range.from) / BigInt(STRIPE_ROWS / SEGMENT_ROWS));
    const wide = range.to - range.from > 2n ** 62n || range.from < -(2n ** 63n) || range.to > 2n ** 63n;
    const [source, target] = await Promise.all(
      SIDES.map((side) => {
        const segment = this.comparison.sides[side].dialect.segment(this.#key[side], range.from, width, wide);
        return this.sums(side, segment, this.#condition(side, range, withNull));
      }),
    );
    if (!source || !target) throw new Error('A side has given no sums.');
    counted([...source.values()].reduce((sum, { rows }) => sum + rows, 0));
    const ranges: Range[] = [];
    for (const name of this.differing(source, target)) {
      if (name === '') {
        ranges.push(NULLS);
        continue;
      }
      const from = range.from + BigInt(name) * width;
      const part = { from, to: minimum(range.to, from + width) };
      const rows = Math.max(source.get(name)?.rows ?? 0, target.get(name)?.rows ?? 0);
      if (rows <= READ_AT_MOST || width === 1n) ranges.push(part);
      else ranges.push(...(await this.#differingIn(part, false, () => {})));
    }
    return ranges;
  }

  async #compare(range: Range): Promise<void> {
    const [source, target] = await Promise.all(
      SIDES.map((side) => {
        const condition = range.from === range.to ? `${this.#key[side]} IS NULL` : this.#condition(side, range, false);
        return this.comparison.sides[side].texts(
          `SELECT ${this.values(side)} ${this.from(side, condition)} LIMIT ${MOST_IN_A_SEGMENT + 1}`,
        );
      }),
    );
    if (!source || !target) throw new Error('A side has given no rows.');
    refuseHeaps(Math.max(source.length, target.length), this.comparison.keys);
    await this.compareSegment(source, target);
  }

  #condition(side: SideName, { from, to }: Range, withNull: boolean): string {
    const key = this.#key[side];
    const between = `${key} >= (${from}) AND ${key} < (${to})`;
    return withNull ? `(${key} IS NULL OR (${between}))` : `(${between})`;
  }
}

const NULLS: Range = { from: 0n, to: 0n };
/** More are found again rather than kept: progress is small. */
const KEPT_RANGES = 500;

/** Keys of any kind: segments are what a hash of the key puts together. Each side is read once for the sums, and once more where they differ. */
class ByBuckets extends Segments {
  async run(): Promise<RowCounts> {
    const { sides } = this.comparison;
    const guess = Math.max(...(await Promise.all(SIDES.map((side) => sides[side].guessRows()))).map((rows) => rows ?? STRIPE_ROWS));
    const buckets = 2 ** Math.min(Math.log2(MOST_BUCKETS), Math.max(4, Math.ceil(Math.log2(guess / SEGMENT_ROWS))));
    const bucket = this.expressions.bucket(buckets);
    const [source, target] = await Promise.all(SIDES.map((side) => this.sums(side, bucket[side])));
    if (!source || !target) throw new Error('A side has given no sums.');
    this.counts.compared = [...source.values()].reduce((sum, { rows }) => sum + rows, 0);
    const differing = this.differing(source, target).map(Number);
    for (let from = 0; from < differing.length; from += BUCKETS_AT_ONCE) {
      await this.#compare(bucket, differing.slice(from, from + BUCKETS_AT_ONCE));
      this.comparison.progress({ segments: Math.min(differing.length, from + BUCKETS_AT_ONCE), of: differing.length });
    }
    return this.counts;
  }

  /** Reads the rows of some buckets in the order of the buckets, and compares one bucket after the other. */
  async #compare(bucket: { readonly source: string; readonly target: string }, wanted: readonly number[]): Promise<void> {
    const readers = SIDES.map((side) => {
      const condition = `${bucket[side]} IN (${wanted.join(', ')})`;
      return bucketByBucket(
        this.comparison.sides[side].batches(`SELECT ${bucket[side]}, ${this.values(side)} ${this.from(side, condition)} ORDER BY 1`),
        this.comparison.keys,
      );
    });
    const [source, target] = readers;
    if (!source || !target) throw new Error('There are two sides.');
    let [one, other] = await Promise.all([source.next(), target.next()]);
    while (!one.done || !other.done) {
      const number = Math.min(one.done ? Infinity : one.value.bucket, other.done ? Infinity : other.value.bucket);
      const here = !one.done && one.value.bucket === number ? one.value.rows : [];
      const there = !other.done && other.value.bucket === number ? other.value.rows : [];
      await this.compareSegment(here, there);
      [one, other] = await Promise.all([
        !one.done && one.value.bucket === number ? source.next() : one,
        !other.done && other.value.bucket === number ? target.next() : other,
      ]);
    }
  }
}

const BUCKETS_AT_ONCE = 2_000;
/** Rows of one segment that are held in memory; only keys that tell nothing apart come near it. */
const MOST_IN_A_SEGMENT = 200_000;

function refuseHeaps(rows: number, keys: readonly ColumnPair[]): void {
  if (rows <= MOST_IN_A_SEGMENT) return;
  throw userFault(
    'InvalidParameters',
    `More than ${MOST_IN_A_SEGMENT} rows have nearly the same key (${keys.map(({ name }) => name).join(', ')}). ` +
      "Name columns under 'key' that tell rows apart, or compare with 'compare: aggregate'.",
  );
}

async function* bucketByBucket(
  batches: AsyncIterable<(string | null)[][]>,
  keys: readonly ColumnPair[],
): AsyncGenerator<{ readonly bucket: number; readonly rows: (string | null)[][] }> {
  let bucket: number | undefined;
  let rows: (string | null)[][] = [];
  for await (const batch of batches) {
    for (const [name, ...row] of batch) {
      if (bucket !== Number(name)) {
        if (bucket !== undefined) yield { bucket, rows };
        bucket = Number(name);
        rows = [];
      }
      rows.push(row);
      refuseHeaps(rows.length, keys);
    }
  }
  if (bucket !== undefined) yield { bucket, rows };
}

/** What differs in two bags of rows, whose first values are the key. */
export function differencesOf(
  source: readonly (readonly (string | null)[])[],
  target: readonly (readonly (string | null)[])[],
  keyColumns: number,
): Difference[] {
  const surplus = new Map<string, { readonly key: readonly (string | null)[]; readonly sides: Record<SideName, (string | null)[][]> }>();
  const whole = new Map<string, number>();
  for (const row of source) whole.set(JSON.stringify(row), (whole.get(JSON.stringify(row)) ?? 0) + 1);
  const keep = (side: SideName, row: readonly (string | null)[]): void => {
    const key = row.slice(0, keyColumns);
    const name = JSON.stringify(key);
    const entry = surplus.get(name) ?? { key, sides: { source: [], target: [] } };
    entry.sides[side].push(row.slice(keyColumns));
    surplus.set(name, entry);
  };
  for (const row of target) {
    const name = JSON.stringify(row);
    const left = whole.get(name) ?? 0;
    if (left > 0) whole.set(name, left - 1);
    else keep('target', row);
  }
  for (const [name, left] of whole) {
    for (let count = 0; count < left; count += 1) keep('source', JSON.parse(name) as (string | null)[]);
  }
  return [...surplus.values()].flatMap(({ key, sides }) =>
    Array.from({ length: Math.max(sides.source.length, sides.target.length) }, (_, index) => ({
      key,
      source: sides.source[index],
      target: sides.target[index],
    })),
  );
}

/** A range of keys, and into how many stripes it is cut. */
interface Line extends Range {
  readonly parts: number;
}

interface ResumePoint {
  readonly lines: readonly Line[];
  /** So many stripes of the lines are done. */
  readonly stripes: number;
  readonly compared: number;
  readonly differing: readonly Range[];
}

/** Where an attempt before has come to: nowhere, when it has found more differences than it could write down. */
function readResumePoint(point: Json | undefined): ResumePoint {
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

function cut({ from, to, parts }: Line): Range[] {
  const width = maximum(1n, (to - from + BigInt(parts) - 1n) / BigInt(parts));
  const ranges: Range[] = [];
  for (let start = from; start < to; start += width) ranges.push({ from: start, to: minimum(to, start + width) });
  return ranges.length > 0 ? ranges : [{ from, to: from + 1n }];
}

function maximum(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function minimum(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}
