import type { ColumnPair } from '../canonical.ts';
import { type RowExpressions, SIDES } from '../row-expressions.ts';
import type { RowComparison, RowCounts } from './comparison.ts';
import { refuseHeaps, SEGMENT_ROWS, type Segments, STRIPE_ROWS } from './segments.ts';

const MAX_BUCKETS = 65_536;
const BUCKETS_AT_ONCE = 2_000;

/** Compares keys of any type: segments are hash buckets of the key. Reads each side once for the sums, and once more if they differ. */
export class BucketComparison {
  readonly #comparison: RowComparison;
  readonly #segments: Segments;
  readonly #expressions: RowExpressions;

  constructor(comparison: RowComparison, segments: Segments, expressions: RowExpressions) {
    this.#comparison = comparison;
    this.#segments = segments;
    this.#expressions = expressions;
  }

  async run(): Promise<RowCounts> {
    const { sides } = this.#comparison;
    const guess = Math.max(...(await Promise.all(SIDES.map((side) => sides[side].guessRows()))).map((rows) => rows ?? STRIPE_ROWS));
    const buckets = 2 ** Math.min(Math.log2(MAX_BUCKETS), Math.max(4, Math.ceil(Math.log2(guess / SEGMENT_ROWS))));
    const bucket = this.#expressions.bucket(buckets);
    const [source, target] = await Promise.all(SIDES.map((side) => this.#segments.sums(side, bucket[side])));
    if (!source || !target) throw new Error('A side has given no sums.');
    this.#segments.counts.compared = [...source.values()].reduce((sum, { rows }) => sum + rows, 0);
    const differing = this.#segments.differing(source, target).map(Number);
    for (let from = 0; from < differing.length; from += BUCKETS_AT_ONCE) {
      await this.#compare(bucket, differing.slice(from, from + BUCKETS_AT_ONCE));
      this.#comparison.progress({ segments: Math.min(differing.length, from + BUCKETS_AT_ONCE), of: differing.length });
    }
    return this.#segments.counts;
  }

  /** Reads the rows of some buckets in bucket order and compares them bucket by bucket. */
  async #compare(bucket: { readonly source: string; readonly target: string }, numbers: readonly number[]): Promise<void> {
    const readers = SIDES.map((side) => {
      const condition = `${bucket[side]} IN (${numbers.join(', ')})`;
      return bucketByBucket(
        this.#comparison.sides[side].batches(
          `SELECT ${bucket[side]}, ${this.#segments.values(side)} ${this.#segments.from(side, condition)} ORDER BY 1`,
        ),
        this.#comparison.keys,
      );
    });
    const [source, target] = readers;
    if (!source || !target) throw new Error('There are two sides.');
    let [one, other] = await Promise.all([source.next(), target.next()]);
    while (!one.done || !other.done) {
      const number = Math.min(one.done ? Infinity : one.value.bucket, other.done ? Infinity : other.value.bucket);
      const here = !one.done && one.value.bucket === number ? one.value.rows : [];
      const there = !other.done && other.value.bucket === number ? other.value.rows : [];
      await this.#segments.compareSegment(here, there);
      [one, other] = await Promise.all([
        !one.done && one.value.bucket === number ? source.next() : one,
        !other.done && other.value.bucket === number ? target.next() : other,
      ]);
    }
  }
}

/** The rows of each bucket. */
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
