import { declareSelect } from '../../../lib/databases/one-select.ts';
import type { Column, DatasetManifest } from '../../../workflows/plan/datasets/dataset.ts';
import { parseDuration } from '../../../workflows/plan/values/duration.ts';
import { userFault } from '../../run/errors.ts';
import { sqlAt } from './database.ts';
import type { Database } from './opened-database.ts';
import { columnsOf, findTable, quoteList } from './find-table.ts';
import { formatTable, parseTableName, quoteIdentifier, quoteLiteral, quoteTable } from './identifiers.ts';
import { didYouMean, listNames } from '../nearest.ts';

export interface Selection {
  readonly source_table?: string;
  readonly query?: string;
  readonly columns?: readonly string[];
  readonly where?: string;
  readonly incremental?: { readonly column: string; readonly lag?: string };
}

export interface SelectStatement {
  /** Verified as a single read-only statement, so that it can be put in parentheses. */
  readonly sql: string;
  readonly columns: readonly Column[];
  /** The rows' column value is in `[start, end)`, ISO 8601; absent without `incremental`. */
  readonly incremental?: DatasetManifest['incremental'];
}

/**
 * Builds the statement whose rows are written. Before the first byte is read, the server checks that it exists, is a single read-only
 * statement, and has unique column names. Call it inside the transaction that will read.
 * @throws ApplicationFailure
 */
export async function buildSelect(
  database: Database,
  given: Selection,
  interval: { readonly start: string; readonly end: string },
): Promise<SelectStatement> {
  const { client } = database;
  const { query, where } = given;
  const selection = {
    ...given,
    ...(query !== undefined && { query: sqlAt(database, query) }),
    ...(where !== undefined && { where: sqlAt(database, where) }),
  };
  const from = selection.query === undefined ? await fromTable(database, selection) : await fromQuery(database, selection);
  const incremental = incrementalRange(selection.incremental, interval);
  const conditions = [selection.where, incremental && rangeCondition(incremental)].filter((each) => each !== undefined);
  if (selection.where !== undefined) {
    // Check it alone and without parentheses, so that a ')' in it cannot close ours.
    await assertOneSelect(database, `${from} WHERE ${selection.where}`, 'where');
  }
  const sql = conditions.length === 0 ? from : `${from} WHERE ${conditions.map((each) => `(${each}\n)`).join(' AND ')}`;
  await assertOneSelect(database, sql, selection.query === undefined ? 'where' : 'query');
  const { fields } = await client.query(`SELECT * FROM (${sql}\n) AS selected LIMIT 0`);
  const twice = fields.find((field, index) => fields.findIndex((other) => other.name === field.name) !== index);
  if (twice) throw userFault('QueryFailed', `The query has two columns called '${twice.name}'. Give each a different name with AS.`);
  if (fields.length === 0) throw userFault('QueryFailed', 'The query has no columns.');
  // Query each column: Redshift has no unnest().
  const names = fields.map(
    ({ dataTypeID, dataTypeModifier }) => `format_type(${dataTypeID}, ${dataTypeModifier === -1 ? 'NULL' : dataTypeModifier})`,
  );
  const { rows } = await client.query<string[]>({ text: `SELECT ${names.join(', ')}`, rowMode: 'array' });
  return {
    sql,
    columns: fields.map((field, index) => ({ name: field.name, type: rows[0]?.[index] ?? 'text' })),
    ...(incremental && { incremental }),
  };
}

async function fromTable(database: Database, { source_table: source, columns }: Selection): Promise<string> {
  const name = parseTableName(source ?? '');
  const table = await findTable(database, name);
  // Uses the query that Redshift's older catalog supports too.
  const available = (await columnsOf(database.client, table, 'redshift')).map((column) => column.name);
  checkColumns(columns, available, `Table '${formatTable(name)}'`);
  return `SELECT ${quoteList(columns ?? available)} FROM ${quoteTable(table)}`;
}

async function fromQuery(database: Database, { query = '', columns }: Selection): Promise<string> {
  // People end statements with a semicolon; COPY does not accept one.
  const sql = query.replace(/[\s;]+$/, '');
  await assertOneSelect(database, sql, 'query');
  if (columns !== undefined) {
    const { fields } = await database.client.query(`SELECT * FROM (${sql}\n) AS query LIMIT 0`);
    checkColumns(
      columns,
      fields.map((field) => field.name),
      'The query',
    );
  }
  return `SELECT ${columns === undefined ? '*' : quoteList(columns)} FROM (${sql}\n) AS query`;
}

async function assertOneSelect(database: Database, sql: string, key: string): Promise<void> {
  await openSelect(database, 'sluice_check', sql, key);
  await database.client.query('CLOSE sluice_check');
}

/**
 * Opens a cursor over an analyst's SQL.
 * @param cursor its name, as SQL
 * @param key that contains the SQL, for messages
 * @throws ApplicationFailure QueryFailed unless it is a single SELECT
 */
export async function openSelect({ client }: Database, cursor: string, sql: string, key: string): Promise<void> {
  try {
    await declareSelect(client, cursor, sql);
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: string };
    if (code === '42601') {
      throw userFault(
        'QueryFailed',
        `'${key}' is not one SELECT that can be read: ${message}. Write one statement, without a semicolon.`,
        error,
      );
    }
    throw error;
  }
}

function checkColumns(columns: readonly string[] | undefined, available: readonly string[], what: string): void {
  const unknown = columns?.find((name) => !available.includes(name));
  if (unknown !== undefined) {
    throw userFault(
      'ColumnNotFound',
      `${what} has no column '${unknown}'.${didYouMean(unknown, available)} It has: ${listNames(available)}.`,
    );
  }
}

function incrementalRange(incremental: Selection['incremental'], interval: { start: string; end: string }): SelectStatement['incremental'] {
  if (incremental === undefined) return undefined;
  const { column, lag = '0s' } = incremental;
  const lagMs = parseDuration(lag);
  if (lagMs === undefined) throw userFault('InvalidParameters', `incremental.lag is '${lag}'; write a duration such as 15m, 2h or 1d.`);
  return {
    column,
    start: new Date(Date.parse(interval.start) - lagMs).toISOString(),
    end: new Date(interval.end).toISOString(),
  };
}

function rangeCondition({ column, start, end }: NonNullable<SelectStatement['incremental']>): string {
  return `${quoteIdentifier(column)} >= ${quoteLiteral(start)} AND ${quoteIdentifier(column)} < ${quoteLiteral(end)}`;
}
