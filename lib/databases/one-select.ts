import type { QueryConfig, QueryResult, QueryResultRow } from 'pg';
import type { SqlClient } from './postgres.ts';

/**
 * Runs SQL with the extended protocol, which accepts only one statement, so that untrusted text cannot append another one.
 * @throws the server's error, 42601 for several statements
 */
export function queryOne<T extends QueryResultRow>(
  client: SqlClient,
  text: string,
  values: readonly unknown[] = [],
): Promise<QueryResult<T>> {
  // `queryMode` is missing in the types of pg.
  const query: QueryConfig & { queryMode: 'extended' } = { text, values: [...values], queryMode: 'extended' };
  return client.query<T>(query);
}

/**
 * Opens a cursor over untrusted SQL. DECLARE accepts only one SELECT without side effects. The server parses the text alone, so its
 * parentheses are balanced and it can be embedded in other SQL.
 * @param cursor the cursor name, as SQL
 * @throws the server's error, 42601 if the text is not one SELECT
 */
export async function declareSelect(client: SqlClient, cursor: string, sql: string): Promise<void> {
  await queryOne(client, `DECLARE ${cursor} CURSOR FOR ${sql}`);
}
