import type { ColumnPair, Expressions } from '../canonical.ts';
import { SIDES, type SideName } from '../row-expressions.ts';
import type { RowComparison, RowCounts } from './comparison.ts';
import { cut, type KeyLine, type KeyRange, maximum, minimum } from './key-range.ts';
import { readResumePoint, resumePoint } from './resume-point.ts';
import { MAX_SEGMENT_ROWS, refuseHeaps, SEGMENT_ROWS, type Segments, STRIPE_ROWS } from './segments.ts';

/** Segments with more rows are split before their rows are read. */
const MAX_READ_ROWS = 20_000;
const MAX_STRIPES = 1_000;

/** Compares whole-number keys: segments are key ranges that an index finds, and stripes of many segments are summed one at a time. */
export class RangeComparison {
  readonly #comparison: RowComparison;
  readonly #segments: Segments;
  readonly #key: Expressions;

  constructor(comparison: RowComparison, segments: Segments, { name }: ColumnPair) {
    this.#comparison = comparison;
    this.#segments = segments;
    const { source, target } = comparison.sides;
    this.#key = { source: source.dialect.identifier(name), target: target.dialect.identifier(name) };
  }

  async run(): Promise<RowCounts> {
    const comparison = this.#comparison;
    const { counts } = this.#segments;
    const resumed = readResumePoint(comparison.resumePoint);
    const lines = await this.#lines(resumed.lines);
    const stripes = lines.flatMap(cut);
    counts.compared = resumed.compared;
    const differing: KeyRange[] = [...resumed.differing];
    for (let index = resumed.stripes; index < stripes.length; index += 1) {
      const stripe = stripes[index];
      if (stripe === undefined) break;
      differing.push(...(await this.#differingIn(stripe, index === 0, (rows) => (counts.compared += rows))));
      comparison.progress(resumePoint({ lines, stripes: index + 1, of: stripes.length, compared: counts.compared, differing }));
    }
    for (const range of differing.sort((one, other) => Number(one.from - other.from))) await this.#compare(range);
    return counts;
  }

  /**
   * All existing keys. Lines of earlier attempts keep their cuts, however many rows there are now, because their first stripes are already
   * done. Keys added since, below or above them, become new lines.
   */
  async #lines(kept: readonly KeyLine[]): Promise<readonly KeyLine[]> {
    const { sides } = this.#comparison;
    const [bounds, guess] = await Promise.all([
      Promise.all(
        SIDES.map((side) =>
          sides[side].texts(
            `SELECT min(${this.#key[side]}), max(${this.#key[side]}) ${this.#segments.from(side, this.#segments.inTime(side))}`,
          ),
        ),
      ),
      Promise.all(SIDES.map((side) => sides[side].guessRows())),
    ]);
    const ends = bounds.flatMap(([row]) => row ?? []).flatMap((text) => (text === null ? [] : [BigInt(text)]));
    const least = ends.reduce(minimum, ends[0] ?? 0n);
    const end = ends.reduce(maximum, ends[0] ?? 0n) + 1n;
    const rows = Math.max(1, ...guess.map((each) => each ?? 1));
    const parts = Math.min(MAX_STRIPES, Math.ceil(rows / STRIPE_ROWS));
    const [first] = kept;
    if (first === undefined) return [{ from: least, to: end, parts }];
    const known = kept.reduce<KeyRange>(({ from, to }, line) => ({ from: minimum(from, line.from), to: maximum(to, line.to) }), first);
    const added = [
      { from: least, to: known.from, parts },
      { from: known.to, to: end, parts },
    ];
    return ends.length === 0 ? kept : [...kept, ...added.filter(({ from, to }) => from < to)];
  }

  /** The segments of a range that differ. */
  async #differingIn(range: KeyRange, withNull: boolean, counted: (rows: number) => void): Promise<KeyRange[]> {
    const width = maximum(1n, (range.to - range.from) / BigInt(STRIPE_ROWS / SEGMENT_ROWS));
    const wide = range.to - range.from > 2n ** 62n || range.from < -(2n ** 63n) || range.to > 2n ** 63n;
    const [source, target] = await Promise.all(
      SIDES.map((side) => {
        const segment = this.#comparison.sides[side].dialect.segment(this.#key[side], range.from, width, wide);
        return this.#segments.sums(side, segment, this.#condition(side, range, withNull));
      }),
    );
    if (!source || !target) throw new Error('A side has given no sums.');
    counted([...source.values()].reduce((sum, { rows }) => sum + rows, 0));
    const ranges: KeyRange[] = [];
    for (const name of this.#segments.differing(source, target)) {
      if (name === '') {
        ranges.push(NULLS);
        continue;
      }
      const from = range.from + BigInt(name) * width;
      const part = { from, to: minimum(range.to, from + width) };
      const rows = Math.max(source.get(name)?.rows ?? 0, target.get(name)?.rows ?? 0);
      if (rows <= MAX_READ_ROWS || width === 1n) ranges.push(part);
      else ranges.push(...(await this.#differingIn(part, false, () => {})));
    }
    return ranges;
  }

  async #compare(range: KeyRange): Promise<void> {
    const [source, target] = await Promise.all(
      SIDES.map((side) => {
        const condition = range.from === range.to ? `${this.#key[side]} IS NULL` : this.#condition(side, range, false);
        return this.#comparison.sides[side].texts(
          `SELECT ${this.#segments.values(side)} ${this.#segments.from(side, condition)} LIMIT ${MAX_SEGMENT_ROWS + 1}`,
        );
      }),
    );
    if (!source || !target) throw new Error('A side has given no rows.');
    refuseHeaps(Math.max(source.length, target.length), this.#comparison.keys);
    await this.#segments.compareSegment(source, target);
  }

  #condition(side: SideName, { from, to }: KeyRange, withNull: boolean): string {
    const key = this.#key[side];
    const between = `${key} >= (${from}) AND ${key} < (${to})`;
    return withNull ? `(${key} IS NULL OR (${between}))` : `(${between})`;
  }
}

const NULLS: KeyRange = { from: 0n, to: 0n };
