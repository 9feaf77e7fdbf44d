import { userFault } from '../run/errors.ts';
import type { Database } from '../support/sql/opened-database.ts';
import { didYouMean, listNames } from '../support/nearest.ts';
import { type ComparedColumn, comparedColumn } from './column-family.ts';
import type { Dialect } from './dialects/dialect.ts';

/** Rows as an analyst specifies them: a table, a query, or a dataset. */
export interface Place {
  readonly conn_id: string;
  readonly table?: string | undefined;
  readonly query?: string | undefined;
  /** `s3://bucket/prefix` of the dataset's manifest. */
  readonly dataset?: string | undefined;
  readonly where?: string | undefined;
}

/** For messages: `orders (postgres_default)`. */
export function labelOf({ conn_id: connection, table, dataset }: Place): string {
  return `${table ?? dataset ?? 'the query'} (${connection})`;
}

/** An open session with a stable snapshot of the rows. */
export interface Session {
  readonly dialect: Dialect;
  /** All rows of a SELECT, as lists of texts. */
  texts(sql: string): Promise<(string | null)[][]>;
  /** Rows of a SELECT in batches of a few thousand, to limit memory. The session is busy meanwhile. */
  batches(sql: string): AsyncIterable<(string | null)[][]>;
  /** The server's estimate of the rows of a SELECT; undefined if it gives none. */
  guessRows(sql: string): Promise<number | undefined>;
  /** Such as 170004; 0 for other servers than PostgreSQL. */
  readonly postgresVersion: number;
  /** The driver's session, if the side can be repaired. */
  readonly database: Database | undefined;
}

/** One of the two sides that are compared. */
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
   * The same session with groups instead of rows. Columns are named like the aggregates: `sum(total)`.
   * @param late condition of rows to leave out
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
    // A sum of whole numbers may exceed their type: compare it as a numeric with the same scale.
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
