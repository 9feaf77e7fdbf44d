import { userFault } from '../../run/errors.ts';
import { sqlAt } from '../../support/sql/database.ts';
import type { FoundTable, TableColumn } from '../../support/sql/find-table.ts';
import { followSequences } from '../../support/sql/follow-sequences.ts';
import { quoteIdentifier, quoteTable } from '../../support/sql/identifiers.ts';
import { reactionsOf } from '../../support/sql/table-reactions.ts';
import type { ColumnPair } from '../canonical.ts';
import type { Difference, Row } from '../rows/comparison.ts';
import type { KeyedRows } from './keyed-rows.ts';
import type { Repair } from './repair.ts';
import { batchesOf, givenRows, listOf, literal } from './statements.ts';

/** The table to write to. */
export interface WrittenTable {
  readonly found: FoundTable;
  readonly server: 'postgres' | 'redshift';
  readonly kinds: readonly TableColumn[];
}

/** Writes a repair to the target's table, and collects the SQL that reverts it. */
export class TargetWriter {
  readonly undo: string[] = [];
  readonly #repair: Repair;
  readonly #table: string;
  readonly #rows: KeyedRows;
  /** The compared columns, keys first, then the other columns that both sides have. */
  readonly #pairs: readonly Pick<ColumnPair, 'name' | 'target'>[];
  readonly #written: WrittenTable;

  constructor(repair: Repair, rows: KeyedRows, written: WrittenTable) {
    this.#repair = repair;
    this.#written = written;
    this.#table = quoteTable(written.found);
    this.#rows = rows;
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
    const [old, current] = [await this.#rows.read('target', changed, compared), await this.#rows.read('source', changed, compared)];
    // Keep the target's own form of the key: it may be written differently and still count as equal.
    const rows = [...old].map(([key, row]) => [...row.slice(0, keys.length), ...(current.get(key) ?? []).slice(keys.length)]);
    await this.#set(old, rows, columns, (same) => this.#and(same));
  }

  /** Makes whole rows of the target equal to the source's, regardless of the conditions. */
  async replace(moved: readonly Difference[]): Promise<void> {
    const { keys } = this.#repair;
    const [old, current] = [
      await this.#rows.read('target', moved, this.#pairs, 'unfiltered'),
      await this.#rows.read('source', moved, this.#pairs, 'unfiltered'),
    ];
    const rows = [...old].map(([key, row]) => [...row.slice(0, keys.length), ...(current.get(key) ?? []).slice(keys.length)]);
    await this.#set(old, rows, this.#pairs.slice(keys.length), (same) => same.join(' AND '));
  }

  /** Updates the columns after the keys, except generated columns: if those differ, they still differ afterwards. */
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
    const old = await this.#rows.read('target', extra, all);
    const same = keys.map(({ name }, index) => `repaired.${quoteIdentifier(name)} = ${this.#given(index)}`);
    const rows = [...old.values()].map((row) => row.slice(0, keys.length));
    await this.#write(rows, (given) => `DELETE FROM ${this.#table} AS repaired USING ${given} WHERE ${this.#and(same)}`);
    for (const row of old.values()) {
      const values = row.slice(keys.length).map(literal).join(', ');
      this.undo.push(`INSERT INTO ${this.#table} (${listOf(stored)})${this.#overriding} VALUES (${values});`);
    }
  }

  /** Refuses cascades: the SQL that reverts a repair does not cover other tables. */
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
    const rows = [...(await this.#rows.read('source', missing, this.#pairs)).values()];
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

  /** Columns that accept a value, with their positions. */
  #insertable<T extends { readonly name: string }>(columns: readonly T[]): { readonly column: T; readonly index: number }[] {
    return columns
      .map((column, index) => ({ column, index }))
      .filter(({ column }) => !this.#written.kinds.some(({ name, isGenerated }) => isGenerated && name === column.name));
  }

  /** Identity columns get the source's values. */
  get #overriding(): string {
    return this.#written.server === 'postgres' ? ' OVERRIDING SYSTEM VALUE' : '';
  }

  async #write(rows: readonly Row[], statement: (given: string) => string): Promise<void> {
    const { client } = this.#repair.database;
    for (const batch of batchesOf(rows, rows[0]?.length ?? 1)) {
      const given = givenRows(batch);
      const { rowCount } = await client.query(statement(given.sql), [...given.values]);
      if (rowCount !== batch.length) throw this.#rows.unclear();
    }
  }

  /** A given value, cast to the type of the target's column. */
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
}
