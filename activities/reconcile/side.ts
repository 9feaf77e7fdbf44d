import { userFault } from '../run/errors.ts';
import type { Database } from '../support/sql/opened-database.ts';
import { didYouMean, listNames } from '../support/nearest.ts';
import { type ComparedColumn, comparedColumn } from './column-family.ts';
import type { Dialect } from './dialects/dialect.ts';

/** Rows as an analyst names them: a table's, a query's, or a data set's. */
export interface Place {
  readonly conn_id: string;
  readonly table?: string | undefined;
  readonly query?: string | undefined;
  /** `s3://bucket/prefix`, of a data set's manifest. */
  readonly dataset?: string | undefined;
  readonly where?: string | undefined;
}

/** For messages: `orders (postgres_default)`. */
export function labelOf({ conn_id: connection, table, dataset }: Place): string {
  return `${table ?? dataset ?? 'the query'} (${connection})`;
}

/** An open session in which the rows stand still while they are looked at. */
export interface Session {
  readonly dialect: Dialect;
  /** All rows of a SELECT, as lists of texts. */
  texts(sql: string): Promise<(string | null)[][]>;
  /** Rows of a SELECT a few thousand at a time, so that their number does not matter to the memory. Nothing else is asked meanwhile. */
  batches(sql: string): AsyncIterable<(string | null)[][]>;
  /** How many rows a SELECT has, as the server guesses; undefined where it does not tell. */
  guessRows(sql: string): Promise<number | undefined>;
  /** As 170004; 0 for other servers than PostgreSQL. */
  readonly postgresVersion: number;
  /** Where a side can be repaired: the session as the driver has it. */
  readonly database: Database | undefined;
}

/** One of the two that are compared. */
export class Side {
  readonly label: string;
  readonly columns: readonly ComparedColumn[];
  /** SELECT of the rows that are compared. */
  readonly rows: string;
  /** SELECT of the rows without the place's `where`. */
  readonly unfiltered: string;
  readonly #session: Session;

  constructor(session: Session, { label, columns, rows, unfiltered }: Pick<Side, 'label' | 'columns' | 'rows' | 'unfiltered'>) {
    this.#session = session;
    this.label = label;
    this.columns = columns;
    this.rows = rows;
    this.unfiltered = unfiltered;
  }

  get dialect(): Dialect {
    return this.#session.dialect;
  }

  get postgresVersion(): number {
    return this.#session.postgresVersion;
  }

  get database(): Database | undefined {
    return this.#session.database;
  }

  texts(sql: string): Promise<(string | null)[][]> {
    return this.#session.texts(sql);
  }

  batches(sql: string): AsyncIterable<(string | null)[][]> {
    return this.#session.batches(sql);
  }

  guessRows(): Promise<number | undefined> {
    return this.#session.guessRows(this.rows);
  }

  /**
   * The same session with groups for rows. Columns are called as the aggregates are written: `sum(total)`.
   * @param late which rows are left out
   * @throws ApplicationFailure ColumnNotFound
   */
  grouped(groups: readonly string[], aggregates: readonly string[], late: string | undefined): Side {
    const group = groups.map((name) => this.column(name));
    const values = aggregates.map((text) => this.#aggregate(text));
    const { identifier } = this.dialect;
    const names = group.map(({ name }) => identifier(name));
    const list = [...names, ...values.map(({ sql, column }) => `${sql} AS ${identifier(column.name)}`)];
    const where = late === undefined ? '' : ` WHERE (${late}) IS NOT TRUE`;
    const by = groups.length === 0 ? '' : ` GROUP BY ${names.join(', ')}`;
    const rowsOf = (rows: string): string => `SELECT ${list.join(', ')} FROM (${rows}\n) AS grouped${where}${by}`;
    return new Side(this.#session, {
      label: this.label,
      columns: [...group, ...values.map(({ column }) => column)],
      rows: rowsOf(this.rows),
      unfiltered: rowsOf(this.unfiltered),
    });
  }

  #aggregate(text: string): { readonly sql: string; readonly column: ComparedColumn } {
    const [, fn = '', argument = ''] = /^(\w+)\((.+)\)$/s.exec(text) ?? [];
    if (argument === '*') return { sql: 'count(*)', column: comparedColumn(text, 'bigint') };
    const column = this.column(argument.trim());
    const quoted = this.dialect.identifier(column.name);
    if (fn === 'count') return { sql: `count(${quoted})`, column: comparedColumn(text, 'bigint') };
    if (fn === 'distinct') return { sql: `count(DISTINCT ${quoted})`, column: comparedColumn(text, 'bigint') };
    // A sum of whole numbers may be wider than they are: compared as a numeric of the same digits after the point.
    if (fn === 'sum' && column.family === 'number')
      return { sql: `sum(${this.dialect.ordered(column)})`, column: { ...column, name: text, type: 'numeric' } };
    return { sql: `${fn}(${this.dialect.ordered(column)})`, column: { ...column, name: text } };
  }

  /** @throws ApplicationFailure ColumnNotFound */
  column(name: string): ComparedColumn {
    const found = this.columns.find((column) => column.name === name);
    if (found) return found;
    const names = this.columns.map((column) => column.name);
    throw userFault('ColumnNotFound', `${this.label} has no column '${name}'.${didYouMean(name, names)} It has: ${listNames(names)}.`);
  }
}
