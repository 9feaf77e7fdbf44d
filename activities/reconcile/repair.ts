import { userFault } from '../errors.ts';
import type { Database } from '../sql/database.ts';
import { findTable } from '../sql/find-table.ts';
import { parseTableName, quoteIdentifier, quoteLiteral, quoteTable } from '../sql/identifiers.ts';
import type { ColumnPair } from './canonical.ts';
import type { Difference } from './compare-rows.ts';
import { type RowExpressions, rowExpressions, type SideName, type Sides } from './row-expressions.ts';

/** Where more differ, it is no fault of some rows: the load is to be done again. */
export const MOST_REPAIRED = 10_000;
/** A statement binds 32,767 values at most on Redshift, 65,535 on PostgreSQL. */
const VALUES_AT_ONCE = 30_000;

/** Values as their server writes them. */
type Row = readonly (string | null)[];

export interface Repair {
  /** The target's. */
  readonly database: Database;
  readonly sides: Sides;
  /** The target's table, as the analyst names it. */
  readonly table: string;
  /** Rows of the target that this does not hold of are not touched. */
  readonly where: string | undefined;
  readonly keys: readonly ColumnPair[];
  readonly columns: readonly ColumnPair[];
  readonly differences: readonly Difference[];
}

/**
 * Makes the target's rows what the source's are, in the transaction that the target's session is in: changed rows get the compared columns,
 * missing ones are inserted with all columns that both have, and rows that only the target has are deleted. The caller commits.
 * @returns SQL that takes it back
 * @throws ApplicationFailure DataMismatch where the key does not tell rows apart, or rows change meanwhile
 */
export async function repairTarget(repair: Repair): Promise<string> {
  const { sides, keys, columns, differences } = repair;
  if (differences.length > MOST_REPAIRED) {
    throw userFault(
      'DataMismatch',
      `More than ${MOST_REPAIRED.toLocaleString('en-US')} rows differ: too many to repair one by one. Load the target again, and then compare.`,
    );
  }
  const found = await findTable(repair.database, parseTableName(repair.table));
  const writer = new Writer(repair, quoteTable(found), await rowExpressions(sides, keys, columns));
  await writer.update(differences.filter(({ source, target }) => source && target));
  await writer.delete(differences.filter(({ source }) => !source));
  await writer.insert(differences.filter(({ target }) => !target));
  return ['BEGIN;', ...writer.undo, 'COMMIT;', ''].join('\n');
}

class Writer {
  readonly undo: string[] = [];
  readonly #repair: Repair;
  readonly #table: string;
  readonly #texts: RowExpressions['texts'];
  /** The compared columns, keys first, and then the others that both sides have. */
  readonly #pairs: readonly Pick<ColumnPair, 'name' | 'target'>[];

  constructor(repair: Repair, table: string, { texts }: RowExpressions) {
    this.#repair = repair;
    this.#table = table;
    this.#texts = texts.slice(0, repair.keys.length);
    const compared = [...repair.keys, ...repair.columns];
    const { source, target } = repair.sides;
    const others = target.columns.filter(
      ({ name }) => source.columns.some((column) => column.name === name) && !compared.some((pair) => pair.name === name),
    );
    this.#pairs = [...compared, ...others.map((column) => ({ name: column.name, target: column }))];
  }

  async update(changed: readonly Difference[]): Promise<void> {
    const { keys, columns } = this.#repair;
    const compared = [...keys, ...columns];
    const [old, wanted] = [await this.#read('target', changed, compared), await this.#read('source', changed, compared)];
    // The key stays as the target writes it: it may be written otherwise and still count as the same.
    const rows = [...old].map(([key, row]) => [...row.slice(0, keys.length), ...(wanted.get(key) ?? []).slice(keys.length)]);
    const sets = columns.map(({ name }, index) => `${quoteIdentifier(name)} = ${this.#given(keys.length + index)}`);
    const same = keys.map(({ name }, index) => `repaired.${quoteIdentifier(name)} = ${this.#given(index)}`);
    await this.#write(rows, (given) => `UPDATE ${this.#table} AS repaired SET ${sets.join(', ')} FROM ${given} WHERE ${this.#and(same)}`);
    for (const row of old.values()) {
      const values = columns.map(({ name }, index) => `${quoteIdentifier(name)} = ${literal(row[keys.length + index])}`);
      this.undo.push(`UPDATE ${this.#table} SET ${values.join(', ')} WHERE ${this.#isRow(row)};`);
    }
  }

  async delete(extra: readonly Difference[]): Promise<void> {
    const { keys, sides } = this.#repair;
    const all = [...keys, ...sides.target.columns];
    const old = await this.#read('target', extra, all);
    const same = keys.map(({ name }, index) => `repaired.${quoteIdentifier(name)} = ${this.#given(index)}`);
    const rows = [...old.values()].map((row) => row.slice(0, keys.length));
    await this.#write(rows, (given) => `DELETE FROM ${this.#table} AS repaired USING ${given} WHERE ${this.#and(same)}`);
    for (const row of old.values()) {
      const values = row.slice(keys.length).map(literal).join(', ');
      this.undo.push(`INSERT INTO ${this.#table} (${listOf(sides.target.columns)}) VALUES (${values});`);
    }
  }

  async insert(missing: readonly Difference[]): Promise<void> {
    const rows = [...(await this.#read('source', missing, this.#pairs)).values()];
    const values = this.#pairs.map((_, index) => this.#given(index)).join(', ');
    await this.#write(rows, (given) => `INSERT INTO ${this.#table} (${listOf(this.#pairs)}) SELECT ${values} FROM ${given}`);
    for (const row of rows) this.undo.push(`DELETE FROM ${this.#table} WHERE ${this.#isRow(row)};`);
  }

  /** Rows of a side by the canonical texts of their keys, in the differences' order. */
  async #read(side: SideName, wanted: readonly Difference[], columns: readonly { readonly name: string }[]): Promise<Map<string, Row>> {
    const rows = new Map<string, Row>();
    const from = this.#repair.sides[side];
    const { dialect } = from;
    const texts = this.#texts.map((text) => text[side]).join(', ');
    const values = columns.map(({ name }) => dialect.given(from.column(name))).join(', ');
    let read = 0;
    for (const batch of batchesOf(
      wanted.map(({ key }) => key),
      this.#texts.length,
    )) {
      const keys = batch.map((key) => `(${key.map((text) => (text === null ? 'NULL' : dialect.literal(text))).join(', ')})`);
      const select = `SELECT ${texts}, ${values} FROM (${from.rows}\n) AS compared WHERE (${texts}) IN (${keys.join(', ')})`;
      for (const row of await from.texts(select)) {
        read += 1;
        rows.set(JSON.stringify(row.slice(0, this.#texts.length)), row.slice(this.#texts.length));
      }
    }
    if (read !== wanted.length || rows.size !== wanted.length) throw this.#unclear();
    return rows;
  }

  async #write(rows: readonly Row[], statement: (given: string) => string): Promise<void> {
    const { client } = this.#repair.database;
    for (const batch of batchesOf(rows, rows[0]?.length ?? 1)) {
      const given = relation(batch);
      const { rowCount } = await client.query(statement(given.sql), [...given.values]);
      if (rowCount !== batch.length) throw this.#unclear();
    }
  }

  /** A value that is handed over, as the target's column takes it. */
  #given(index: number): string {
    return `given.c${index}::${this.#pairs[index]?.target.type ?? 'text'}`;
  }

  #and(conditions: readonly string[]): string {
    const { where } = this.#repair;
    return [...conditions, ...(where === undefined ? [] : [`(${where}\n)`])].join(' AND ');
  }

  #isRow(row: Row): string {
    return this.#repair.keys.map(({ name }, index) => `${quoteIdentifier(name)} = ${literal(row[index])}`).join(' AND ');
  }

  #unclear(): Error {
    const names = this.#repair.keys.map(({ name }) => name).join(', ');
    return userFault(
      'DataMismatch',
      `Nothing is repaired: some of the rows that differ have no key (${names}) of their own, on one side or the other. ` +
        "Name columns under 'key' that tell all rows apart and are never NULL.",
    );
  }
}

/** Rows as something to select from, all values text; without VALUES, which Redshift lacks there. */
function relation(rows: readonly Row[]): { readonly sql: string; readonly values: readonly (string | null)[] } {
  const selects = rows.map((row, at) => `SELECT ${row.map((_, index) => `$${at * row.length + index + 1}::text AS c${index}`).join(', ')}`);
  return { sql: `(${selects.join(' UNION ALL ')}) AS given`, values: rows.flat() };
}

function* batchesOf<T>(rows: readonly T[], width: number): Generator<readonly T[]> {
  // A statement of many thousand SELECTs takes the server longer to read than to carry out.
  const size = Math.min(500, Math.floor(VALUES_AT_ONCE / width));
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size);
}

function listOf(columns: readonly { readonly name: string }[]): string {
  return columns.map(({ name }) => quoteIdentifier(name)).join(', ');
}

function literal(value: string | null | undefined): string {
  return value === null || value === undefined ? 'NULL' : quoteLiteral(value);
}
