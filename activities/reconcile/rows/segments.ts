import { userFault } from '../../run/errors.ts';
import type { ColumnPair } from '../canonical.ts';
import type { RowExpressions, SideName } from '../row-expressions.ts';
import { bagDifferences } from './bag-differences.ts';
import type { Row, RowComparison } from './comparison.ts';

/** Rows per segment: smaller segments mean more sums to transfer; larger ones mean more rows to read on a difference. */
export const SEGMENT_ROWS = 1_000;
/** Rows that one statement sums up: the work that is lost when a worker dies. */
export const STRIPE_ROWS = 1_000_000;
/** Rows of one segment that are held in memory; only keys with few distinct values come close to it. */
export const MAX_SEGMENT_ROWS = 200_000;

export interface SegmentSum {
  readonly rows: number;
  readonly hash: string;
}

/** Segments of the rows of both sides: summed by the databases, and compared row by row if the sums differ. */
export class Segments {
  readonly #comparison: RowComparison;
  readonly #expressions: RowExpressions;
  readonly counts = { compared: 0, changed: 0, missing: 0, extra: 0 };

  constructor(comparison: RowComparison, expressions: RowExpressions) {
    this.#comparison = comparison;
    this.#expressions = expressions;
  }

  /** FROM and WHERE clauses for rows. */
  from(side: SideName, ...conditions: readonly (string | undefined)[]): string {
    const given = conditions.filter((each) => each !== undefined);
    return `FROM (${this.#comparison.sides[side].rows}\n) AS compared${given.length === 0 ? '' : ` WHERE ${given.join(' AND ')}`}`;
  }

  /** The condition of the rows that are compared. */
  inTime(side: SideName): string | undefined {
    const { late } = this.#comparison;
    return late && `(${late[side]}) IS NOT TRUE`;
  }

  /** The texts of a row, and whether it is late. */
  values(side: SideName): string {
    const { late } = this.#comparison;
    return [...this.#expressions.texts.map((text) => text[side]), late ? `CASE WHEN ${late[side]} THEN '1' END` : 'NULL'].join(', ');
  }

  /** Maps each segment to its sum. */
  async sums(side: SideName, segment: string, condition?: string): Promise<Map<string, SegmentSum>> {
    const { hash } = this.#expressions;
    const rows = await this.#comparison.sides[side].texts(
      `SELECT ${segment} AS segment, count(*), sum(${hash[side]}) ${this.from(side, this.inTime(side), condition)} GROUP BY 1`,
    );
    return new Map(rows.map(([name, count, sum]) => [name ?? '', { rows: Number(count), hash: sum ?? '' }]));
  }

  /** Counts the rows of both sides, and returns the segments that differ. */
  differing(source: ReadonlyMap<string, SegmentSum>, target: ReadonlyMap<string, SegmentSum>): string[] {
    const names = new Set([...source.keys(), ...target.keys()]);
    return [...names].filter((name) => {
      const [one, other] = [source.get(name), target.get(name)];
      return one?.rows !== other?.rows || one?.hash !== other?.hash;
    });
  }

  /** Compares the rows of one segment, in the form of `values`. A row that is late on one side is compared on neither. */
  async compareSegment(source: readonly Row[], target: readonly Row[]): Promise<void> {
    const { keys } = this.#comparison;
    const inTime = (rows: readonly Row[]): Row[] => rows.filter((row) => row.at(-1) === null).map((row) => row.slice(0, -1));
    const isLate = (row: Row): boolean => row.at(-1) !== null;
    const late = new Set([...source, ...target].filter(isLate).map((row) => JSON.stringify(row.slice(0, keys.length))));
    for (const difference of bagDifferences(inTime(source), inTime(target), keys.length)) {
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
      await this.#comparison.found(difference);
    }
  }
}

/** @throws ApplicationFailure InvalidParameters when more rows share one key than fit into memory */
export function refuseHeaps(rows: number, keys: readonly ColumnPair[]): void {
  if (rows <= MAX_SEGMENT_ROWS) return;
  throw userFault(
    'InvalidParameters',
    `More than ${MAX_SEGMENT_ROWS} rows have nearly the same key (${keys.map(({ name }) => name).join(', ')}). ` +
      "Name columns under 'key' that identify a row, or compare with 'compare: aggregate'.",
  );
}
