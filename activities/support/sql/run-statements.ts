import pg from 'pg';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { userFault } from '../../run/errors.ts';
import type { Database } from './opened-database.ts';
import { databaseFailure } from './database-failure.ts';
import { rowOf } from './rows.ts';
import { splitStatements, transactionControl } from './split-statements.ts';

/** The result of executed statements. */
export interface Executed {
  /** Rows that the last statement returned or changed. */
  readonly rows: number;
  /** The first row that the last statement returned. */
  readonly first: JsonObject;
}

type Server = 'postgres' | 'redshift';

/** The error of SQL that cannot run in one transaction; undefined when it can. */
export function endsTransaction(sql: string, server: Server = 'postgres'): string | undefined {
  for (const statement of splitStatements(sql, server === 'redshift' ? 'backslash' : 'standard')) {
    const control = transactionControl(statement);
    if (control !== undefined) return `'${control}' in line ${statement.line}: the task runs its statements in one transaction itself`;
    if (server === 'redshift' && statement.words[0] === 'TRUNCATE')
      return `'TRUNCATE' in line ${statement.line} commits on Redshift, and the task runs its statements in one transaction`;
  }
  return undefined;
}

/**
 * Behind a pooler another client uses the session next: reset temporary tables, settings and roles at the end of the transaction, after the
 * triggers that may need them.
 */
const LEAVE_NOTHING = 'SET CONSTRAINTS ALL IMMEDIATE; DISCARD TEMP; RESET ALL; RESET SESSION AUTHORIZATION; RESET ROLE';

/** Advice for such SQL. */
export const RUN_EACH_BY_ITSELF = "remove it, or set 'transaction: false' to run each statement separately";

/**
 * Runs all statements in one transaction.
 * @throws ApplicationFailure InvalidParameters for a statement that would end the transaction, before any has run
 */
export async function runInTransaction({ client }: Database, sql: string, server: Server): Promise<Executed> {
  const wrong = endsTransaction(sql, server);
  if (wrong !== undefined) throw userFault('InvalidParameters', `${wrong}. Nothing was run: ${RUN_EACH_BY_ITSELF}.`);
  await client.query('BEGIN');
  const result = await execute(client, sql);
  // For example a Redshift procedure whose COMMIT ends the caller's transaction.
  if (client.getTransactionStatus() !== 'T') {
    throw userFault(
      'QueryFailed',
      `The statement has ended the transaction that it ran in: what it did before then may be kept. Set 'transaction: false' if that is meant.`,
    );
  }
  if (server === 'postgres') await client.query(LEAVE_NOTHING);
  await client.query('COMMIT');
  return result;
}

/**
 * Runs statements one by one, each in its own transaction unless the SQL says otherwise.
 * @throws ApplicationFailure; the effects of earlier statements stay
 */
export async function runEachByItself(database: Database, sql: string): Promise<Executed> {
  const { client, type } = database;
  const statements = splitStatements(sql, type === 'redshift' ? 'backslash' : 'standard');
  let result: Executed = { rows: 0, first: {} };
  for (const [index, { text, line }] of statements.entries()) {
    try {
      result = await execute(client, text);
    } catch (error) {
      const kept = index === 0 ? '' : '; what ran before it is kept';
      throw databaseFailure(error, database, `run statement ${index + 1} of ${statements.length} (line ${line}${kept})`);
    }
  }
  if (client.getTransactionStatus() !== 'I')
    throw userFault('QueryFailed', 'The statements leave a transaction open, which was rolled back: add the COMMIT that is missing.');
  return result;
}

/** Runs statements without keeping their rows: a SELECT may return more than a worker can hold. */
function execute(client: pg.Client, statement: string): Promise<Executed> {
  return new Promise((resolve, reject) => {
    const query = new pg.Query<Record<string, unknown>>(statement);
    let first: { readonly row: Record<string, unknown>; readonly of: unknown } | undefined;
    query.on('row', (row, of) => {
      if (first?.of !== of) first = { row, of };
    });
    query.on('end', (result: pg.QueryResult | readonly pg.QueryResult[]) => {
      const last = [result].flat().at(-1);
      resolve({ rows: last?.rowCount ?? 0, first: first !== undefined && first.of === last ? rowOf(first.row) : {} });
    });
    query.on('error', reject);
    client.query(query);
  });
}
