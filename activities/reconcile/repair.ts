import { userFault } from '../run/errors.ts';
import { sqlAt } from '../support/sql/database.ts';
import type { Database } from '../support/sql/opened-database.ts';
import { columnsOf, findTable, type FoundTable, type TableColumn } from '../support/sql/find-table.ts';
import { followSequences } from '../support/sql/follow-sequences.ts';
import { parseTableName, quoteIdentifier, quoteLiteral, quoteTable } from '../support/sql/identifiers.ts';
import { reactionsOf } from '../support/sql/table-reactions.ts';
import type { ColumnPair } from './canonical.ts';
import type { Difference } from './compare-rows.ts';
import { type RowExpressions, rowExpressions, type SideName, type Sides } from './row-expressions.ts';

/** Where more differ, it is no fault of some rows: the load is to be done again. */
export const MAX_REPAIRED_ROWS = 10_000;
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
  /** The target's condition. */
  readonly where: string | undefined;
  /** Whether the source has a condition too: then a row may lie within one of the two and outside the other. */
  readonly isSourceFiltered: boolean;
  readonly keys: readonly ColumnPair[];
  readonly columns: readonly ColumnPair[];
  readonly differences: readonly Difference[];
}

export interface Repaired {
  /** SQL that takes it back. */
  readonly undo: string;
  /** Rows that were found on the other side of the condition and updated there, rather than inserted or deleted. */
  readonly moved: number;
}

/**
 * Makes the target's rows what the source's are, in the transaction that the target's session is in: changed rows get the compared columns,
 * missing ones are inserted with all columns that both have, and rows that only the target has are deleted. The caller commits.
 * A row whose day was corrected in the source lies within the condition of one side and outside that of the other: it is looked up by its
 * key without the conditions, and updated where it is, so that it is neither doubled nor lost.
 * @throws ApplicationFailure DataMismatch where the key does not tell rows apart, or rows change meanwhile
 */
export async function repairTarget(repair: Repair): Promise<Repaired> {
  const { sides, keys, columns, differences } = repair;
  if (differences.length > MAX_REPAIRED_ROWS) {
    throw userFault(
      'DataMismatch',
      `More than ${MAX_REPAIRED_ROWS.toLocaleString('en-US')} rows differ: too many to repair one by one. Load the target again, and then compare.`,
    );
  }
  const found = await findTable(repair.database, parseTableName(repair.table));
  const server = sides.target.postgresVersion > 0 ? 'postgres' : 'redshift';
  const kinds = await columnsOf(repair.database.client, found, server);
  const writer = new Writer(repair, { found, server, kinds }, await rowExpressions(sides, keys, columns));
  const [extra, missing] = [differences.filter(({ source }) => !source), differences.filter(({ target }) => !target)];
  const moved = repair.where === undefined ? new Set<Difference>() : await writer.findMoved(missing, extra);
  await writer.update(differences.filter(({ source, target }) => source && target));
  await writer.replace([...moved]);
  await writer.delete(extra.filter((each) => !moved.has(each)));
  await writer.insert(missing.filter((each) => !moved.has(each)));
  return { undo: sqlAt(repair.database, ['BEGIN;', ...writer.undo, 'COMMIT;', ''].join('\n')), moved: moved.size };
}

/** The table that is written to. */
interface WrittenTable {
  readonly found: FoundTable;
  readonly server: 'postgres' | 'redshift';
  readonly kinds: readonly TableColumn[];
}

class Writer {
  readonly undo: string[] = [];
  readonly #repair: Repair;
  readonly #table: string;
  readonly #texts: RowExpressions['texts'];
  /** The compared columns, keys first, and then the others that both sides have. */
  readonly #pairs: readonly Pick<ColumnPair, 'name' | 'target'>[];
  readonly #written: WrittenTable;

  constructor(repair: Repair, written: WrittenTable, { texts }: RowExpressions) {
    this.#repair = repair;
    this.#written = written;
    this.#table = quoteTable(written.found);
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
    await this.#set(old, rows, columns, (same) => this.#and(same));
  }

  /**
   * Those of the differences whose row lies on the other side of the condition.
   * @throws ApplicationFailure DataMismatch where it cannot be said whether it is the same row
   */
  async findMoved(missing: readonly Difference[], extra: readonly Difference[]): Promise<ReadonlySet<Difference>> {
    const { isSourceFiltered } = this.#repair;
    const target = await this.#count('target', isSourceFiltered ? [...missing, ...extra] : missing);
    const there = missing.filter(({ key }) => target.has(JSON.stringify(key)));
    if (!isSourceFiltered) {
      const [first] = there;
      if (first === undefined) return new Set();
      throw userFault(
        'DataMismatch',
        `Nothing is repaired: ${there.length} of the missing rows have a key that the target holds outside its 'where', such as ` +
          `${first.key.join(', ')}. Inserted, they would be there twice. Give the source the same 'where' if they are the same rows, or name ` +
          "under 'key' a column that tells them apart.",
      );
    }
    const source = await this.#count('source', [...there, ...extra]);
    const isOnlyOne = (counts: ReadonlyMap<string, number>, { key }: Difference): boolean => counts.get(JSON.stringify(key)) === 1;
    // A key that the source holds several times tells rows apart only within the condition.
    const moved = there.filter((each) => isOnlyOne(source, each));
    if (!moved.every((each) => isOnlyOne(target, each))) throw this.#unclear();
    return new Set([...moved, ...extra.filter((each) => isOnlyOne(source, each) && isOnlyOne(target, each))]);
  }

  /** Makes whole rows of the target what the source's are, whatever the conditions say. */
  async replace(moved: readonly Difference[]): Promise<void> {
    const { keys } = this.#repair;
    const [old, wanted] = [
      await this.#read('target', moved, this.#pairs, 'unfiltered'),
      await this.#read('source', moved, this.#pairs, 'unfiltered'),
    ];
    const rows = [...old].map(([key, row]) => [...row.slice(0, keys.length), ...(wanted.get(key) ?? []).slice(keys.length)]);
    await this.#set(old, rows, this.#pairs.slice(keys.length), (same) => same.join(' AND '));
  }

  /** Updates the columns behind the keys, but those that the table fills in itself: if they differ, they still do afterwards. */
  async #set(
    old: ReadonlyMap<string, Row>,
    rows: readonly Row[],
    columns: readonly { readonly name: string }[],
    condition: (same: readonly string[]) => string,
  ): Promise<void> {
    const { keys } = this.#repair;
    const settable = columns
      .map(({ name }, index) => ({ name, index: keys.length + index }))
      .filter(({ name }) => !this.#written.kinds.some((kind) => kind.name === name && (kind.isGenerated || kind.isNumbered)));
    if (settable.length === 0) return;
    const sets = settable.map(({ name, index }) => `${quoteIdentifier(name)} = ${this.#given(index)}`);
    const same = keys.map(({ name }, index) => `repaired.${quoteIdentifier(name)} = ${this.#given(index)}`);
    await this.#write(rows, (given) => `UPDATE ${this.#table} AS repaired SET ${sets.join(', ')} FROM ${given} WHERE ${condition(same)}`);
    for (const row of old.values()) {
      const values = settable.map(({ name, index }) => `${quoteIdentifier(name)} = ${literal(row[index])}`);
      this.undo.push(`UPDATE ${this.#table} SET ${values.join(', ')} WHERE ${this.#isRow(row)};`);
    }
  }

  async delete(extra: readonly Difference[]): Promise<void> {
    const { keys, sides } = this.#repair;
    if (extra.length > 0) await this.#refuseCascades();
    const stored = this.#insertable(sides.target.columns).map(({ column }) => column);
    const all = [...keys, ...stored];
    const old = await this.#read('target', extra, all);
    const same = keys.map(({ name }, index) => `repaired.${quoteIdentifier(name)} = ${this.#given(index)}`);
    const rows = [...old.values()].map((row) => row.slice(0, keys.length));
    await this.#write(rows, (given) => `DELETE FROM ${this.#table} AS repaired USING ${given} WHERE ${this.#and(same)}`);
    for (const row of old.values()) {
      const values = row.slice(keys.length).map(literal).join(', ');
      this.undo.push(`INSERT INTO ${this.#table} (${listOf(stored)})${this.#overriding} VALUES (${values});`);
    }
  }

  /** What takes a repair back knows of no other tables. */
  async #refuseCascades(): Promise<void> {
    const { found, server } = this.#written;
    if (server === 'redshift') return;
    const [cascade] = (await reactionsOf(this.#repair.database.client, found)).cascades;
    if (!cascade) return;
    throw userFault(
      'DataMismatch',
      `Nothing is repaired: rows that only the target has would be deleted, and with them rows of ${cascade.from} would be ` +
        `${cascade.action === 'CASCADE' ? 'deleted' : 'changed'} (foreign key '${cascade.constraint}', ON DELETE ${cascade.action}). Delete them yourself, or load the target again.`,
    );
  }

  async insert(missing: readonly Difference[]): Promise<void> {
    const rows = [...(await this.#read('source', missing, this.#pairs)).values()];
    const insertable = this.#insertable(this.#pairs);
    const columns = insertable.map(({ column }) => column);
    const values = insertable.map(({ index }) => this.#given(index)).join(', ');
    await this.#write(rows, (given) => `INSERT INTO ${this.#table} (${listOf(columns)})${this.#overriding} SELECT ${values} FROM ${given}`);
    for (const row of rows) this.undo.push(`DELETE FROM ${this.#table} WHERE ${this.#isRow(row)};`);
    if (rows.length === 0 || this.#written.server === 'redshift') return;
    await followSequences(
      this.#repair.database.client,
      this.#table,
      columns.map(({ name }) => name),
    );
  }

  /** Columns that take a value, with their places. */
  #insertable<T extends { readonly name: string }>(columns: readonly T[]): { readonly column: T; readonly index: number }[] {
    return columns
      .map((column, index) => ({ column, index }))
      .filter(({ column }) => !this.#written.kinds.some(({ name, isGenerated }) => isGenerated && name === column.name));
  }

  /** Values for columns that number themselves are the source's. */
  get #overriding(): string {
    return this.#written.server === 'postgres' ? ' OVERRIDING SYSTEM VALUE' : '';
  }

  /** Rows of a side by the canonical texts of their keys, in the differences' order. */
  async #read(
    side: SideName,
    wanted: readonly Difference[],
    columns: readonly { readonly name: string }[],
    from: 'rows' | 'unfiltered' = 'rows',
  ): Promise<Map<string, Row>> {
    const rows = new Map<string, Row>();
    const { dialect, [from]: relation } = this.#repair.sides[side];
    const values = columns.map(({ name }) => dialect.given(this.#repair.sides[side].column(name)));
    let read = 0;
    for await (const [key, row] of this.#find(side, relation, wanted, values)) {
      read += 1;
      rows.set(key, row);
    }
    if (read !== wanted.length || rows.size !== wanted.length) throw this.#unclear();
    return rows;
  }

  /** How many rows of a side have a key, whatever its condition says. */
  async #count(side: SideName, wanted: readonly Difference[]): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for await (const [key] of this.#find(side, this.#repair.sides[side].unfiltered, wanted, []))
      counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts;
  }

  /** Rows with the keys of differences: the canonical texts of the key as JSON, and the values of `columns`. */
  async *#find(
    side: SideName,
    relation: string,
    wanted: readonly Difference[],
    columns: readonly string[],
  ): AsyncGenerator<readonly [key: string, row: Row]> {
    const from = this.#repair.sides[side];
    const texts = this.#texts.map((text) => text[side]);
    for (const batch of batchesOf(
      wanted.map(({ key }) => key),
      texts.length,
    )) {
      const keys = batch.map((key) => `(${key.map((text) => (text === null ? 'NULL' : from.dialect.literal(text))).join(', ')})`);
      const found = await from.texts(
        `SELECT ${[...texts, ...columns].join(', ')} FROM (${relation}\n) AS compared WHERE (${texts.join(', ')}) IN (${keys.join(', ')})`,
      );
      for (const row of found) yield [JSON.stringify(row.slice(0, texts.length)), row.slice(texts.length)];
    }
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
    const { where, database } = this.#repair;
    return [...conditions, ...(where === undefined ? [] : [`(${sqlAt(database, where)}\n)`])].join(' AND ');
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
