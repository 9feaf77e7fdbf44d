import type { PostgresConnection, RedshiftConnection } from '../../lib/connections.ts';
import type { SqlClient } from '../../lib/postgres.ts';
import { userFault } from '../errors.ts';
import { type Database, fixFormats, withDatabase } from '../sql/database.ts';
import { quoteIdentifier } from '../sql/identifiers.ts';
import { didYouMean, listNames } from '../sql/nearest.ts';
import { buildSelect } from '../sql/select-statement.ts';
import type { Dialect } from './canonical.ts';
import { type ComparedColumn, comparedColumn } from './column-family.ts';

/** A table, or a query's rows, as the analyst names them. */
export interface Place {
  readonly connection: string;
  readonly table?: string | undefined;
  readonly query?: string | undefined;
  readonly where?: string | undefined;
}

/** One of the two that are compared: an open session whose rows stand still while they are looked at. */
export class SqlSide {
  readonly database: Database;
  readonly dialect: Dialect;
  /** For messages: `orders (postgres_default)`. */
  readonly label: string;
  readonly columns: readonly ComparedColumn[];
  /** SELECT of all rows. */
  readonly rows: string;
  /** PostgreSQL's, as 170004; 0 for Redshift. */
  readonly version: number;

  private constructor(fields: Pick<SqlSide, 'database' | 'dialect' | 'label' | 'columns' | 'rows' | 'version'>) {
    ({
      database: this.database,
      dialect: this.dialect,
      label: this.label,
      columns: this.columns,
      rows: this.rows,
      version: this.version,
    } = fields);
  }

  /** Opens a side, does `work` with it, and closes it. */
  static async with<T>(
    place: Place,
    options: {
      readonly connection: PostgresConnection | RedshiftConnection;
      readonly task: string;
      readonly interval: { readonly start: string; readonly end: string };
      readonly signal: AbortSignal;
      /** Whether it is written to. Nothing is kept unless `work` commits. */
      readonly writes?: boolean;
    },
    work: (side: SqlSide) => Promise<T>,
  ): Promise<T> {
    const { connection, task, interval, signal, writes = false } = options;
    const label = `${place.table ?? 'the query'} (${place.connection})`;
    return withDatabase({ connection, name: place.connection, task, doing: `compare ${label}`, signal }, async (database) => {
      const { client } = database;
      const dialect: Dialect = connection.type === 'redshift' ? 'redshift' : 'postgres';
      if (dialect === 'postgres') await fixFormats(client);
      const access = writes ? 'READ WRITE' : 'READ ONLY';
      await client.query(dialect === 'postgres' ? `BEGIN ISOLATION LEVEL REPEATABLE READ, ${access}` : `BEGIN ${access}`);
      const { sql, columns } = await buildSelect(
        database,
        {
          ...(place.table !== undefined && { source_table: place.table }),
          ...(place.query !== undefined && { query: place.query }),
          ...(place.where !== undefined && { where: place.where }),
        },
        interval,
      );
      const version = dialect === 'postgres' ? await versionOf(client) : 0;
      return work(
        new SqlSide({
          database,
          dialect,
          label,
          rows: sql,
          version,
          columns: columns.map(({ name, type }) => comparedColumn(name, type)),
        }),
      );
    });
  }

  /**
   * The same session with groups for rows. Columns are called as the aggregates are written: `sum(total)`.
   * @param condition which rows are grouped
   * @throws ApplicationFailure ColumnNotFound
   */
  grouped(groups: readonly string[], aggregates: readonly string[], condition: string | undefined): SqlSide {
    const group = groups.map((name) => this.column(name));
    const values = aggregates.map((text) => this.#aggregate(text));
    const list = [
      ...group.map(({ name }) => quoteIdentifier(name)),
      ...values.map(({ sql, column }) => `${sql} AS ${quoteIdentifier(column.name)}`),
    ];
    const where = condition === undefined ? '' : ` WHERE (${condition}) IS NOT TRUE`;
    const by = groups.length === 0 ? '' : ` GROUP BY ${listOf(groups)}`;
    return new SqlSide({
      ...this,
      columns: [...group, ...values.map(({ column }) => column)],
      rows: `SELECT ${list.join(', ')} FROM (${this.rows}\n) AS grouped${where}${by}`,
    });
  }

  #aggregate(text: string): { readonly sql: string; readonly column: ComparedColumn } {
    const [, fn = '', argument = ''] = /^(\w+)\((.+)\)$/s.exec(text) ?? [];
    if (argument === '*') return { sql: 'count(*)', column: comparedColumn(text, 'bigint') };
    const column = this.column(argument.trim());
    const quoted = quoteIdentifier(column.name);
    if (fn === 'count') return { sql: `count(${quoted})`, column: comparedColumn(text, 'bigint') };
    if (fn === 'distinct') return { sql: `count(DISTINCT ${quoted})`, column: comparedColumn(text, 'bigint') };
    // A sum of whole numbers may be wider than they are: compared as a numeric of the same digits after the point.
    if (fn === 'sum' && column.family === 'number') return { sql: `sum(${quoted})`, column: { ...column, name: text, type: 'numeric' } };
    return { sql: `${fn}(${quoted})`, column: { ...column, name: text } };
  }

  /** @throws ApplicationFailure ColumnNotFound */
  column(name: string): ComparedColumn {
    const found = this.columns.find((column) => column.name === name);
    if (found) return found;
    const names = this.columns.map((column) => column.name);
    throw userFault('ColumnNotFound', `${this.label} has no column '${name}'.${didYouMean(name, names)} It has: ${listNames(names)}.`);
  }

  /** How many rows there are, as the server guesses from its statistics; undefined where it does not tell. */
  async guessRows(): Promise<number | undefined> {
    if (this.dialect === 'redshift') return undefined;
    const { rows } = await this.database.client.query<{ 'QUERY PLAN': readonly { Plan: { 'Plan Rows': number } }[] }>(
      `EXPLAIN (FORMAT JSON) SELECT 1 FROM (${this.rows}\n) AS compared`,
    );
    return rows[0]?.['QUERY PLAN'][0]?.Plan['Plan Rows'];
  }

  /** All rows of a query, as lists of texts. */
  async texts(sql: string, values: readonly unknown[] = []): Promise<(string | null)[][]> {
    const { rows } = await this.database.client.query<(string | null)[]>({
      text: sql,
      values: [...values],
      rowMode: 'array',
      types: AS_TEXT,
    });
    return rows;
  }

  /** Rows of a query a few thousand at a time, so that their number does not matter to the memory. */
  async *batches(sql: string): AsyncGenerator<(string | null)[][]> {
    await this.database.client.query(`DECLARE sluice_rows CURSOR FOR ${sql}`);
    for (;;) {
      const rows = await this.texts(`FETCH FORWARD ${FETCHED} FROM sluice_rows`);
      if (rows.length === 0) break;
      yield rows;
    }
    await this.database.client.query('CLOSE sluice_rows');
  }
}

const FETCHED = 5_000;
/** Values as the server has written them. */
const AS_TEXT = { getTypeParser: () => (value: string) => value } as never;

async function versionOf(client: SqlClient): Promise<number> {
  const { rows } = await client.query<{ version: string }>(`SELECT current_setting('server_version_num') AS version`);
  return Number(rows[0]?.version ?? 0);
}

/** `"a"` or, when there are several, `"a", "b"`. */
export function listOf(names: readonly string[]): string {
  return names.map(quoteIdentifier).join(', ');
}
