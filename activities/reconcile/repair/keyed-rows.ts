import { userFault } from '../../run/errors.ts';
import type { ColumnPair } from '../canonical.ts';
import type { RowExpressions, SideName, Sides } from '../row-expressions.ts';
import type { Difference, Row } from '../rows/comparison.ts';
import { batchesOf } from './statements.ts';

/** Finds rows of both sides by the keys of differences. */
export class KeyedRows {
  readonly #sides: Sides;
  readonly #keys: readonly ColumnPair[];
  readonly #texts: RowExpressions['texts'];

  constructor(sides: Sides, keys: readonly ColumnPair[], { texts }: RowExpressions) {
    this.#sides = sides;
    this.#keys = keys;
    this.#texts = texts.slice(0, keys.length);
  }

  /** Rows of a side by the canonical texts of their keys, in the order of the differences. */
  async read(
    side: SideName,
    differences: readonly Difference[],
    columns: readonly { readonly name: string }[],
    from: 'rows' | 'unfiltered' = 'rows',
  ): Promise<Map<string, Row>> {
    const rows = new Map<string, Row>();
    const { dialect, [from]: relation } = this.#sides[side];
    const values = columns.map(({ name }) => dialect.given(this.#sides[side].column(name)));
    let read = 0;
    for await (const [key, row] of this.#find(side, relation, differences, values)) {
      read += 1;
      rows.set(key, row);
    }
    if (read !== differences.length || rows.size !== differences.length) throw this.unclear();
    return rows;
  }

  /** How many rows of a side have each key, regardless of its condition. */
  async count(side: SideName, differences: readonly Difference[]): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for await (const [key] of this.#find(side, this.#sides[side].unfiltered, differences, [])) counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts;
  }

  /** Rows with the keys of differences: the canonical texts of the key as JSON, and the values of `columns`. */
  async *#find(
    side: SideName,
    relation: string,
    differences: readonly Difference[],
    columns: readonly string[],
  ): AsyncGenerator<readonly [key: string, row: Row]> {
    const from = this.#sides[side];
    const texts = this.#texts.map((text) => text[side]);
    for (const batch of batchesOf(
      differences.map(({ key }) => key),
      texts.length,
    )) {
      const keys = batch.map((key) => `(${key.map((text) => (text === null ? 'NULL' : from.dialect.literal(text))).join(', ')})`);
      const found = await from.texts(
        `SELECT ${[...texts, ...columns].join(', ')} FROM (${relation}\n) AS compared WHERE (${texts.join(', ')}) IN (${keys.join(', ')})`,
      );
      for (const row of found) yield [JSON.stringify(row.slice(0, texts.length)), row.slice(texts.length)];
    }
  }

  /** The error for keys that do not identify rows. */
  unclear(): Error {
    const names = this.#keys.map(({ name }) => name).join(', ');
    return userFault(
      'DataMismatch',
      `Nothing is repaired: some of the rows that differ have no key (${names}) that is unique on one side or the other. ` +
        "Name columns under 'key' that identify every row and are never NULL.",
    );
  }
}
