import type { QueryConfig, QueryResult, QueryResultRow } from 'pg';
import type { SqlClient } from './postgres.ts';

/**
 * Runs SQL by the extended protocol, which takes one statement only: nothing that hides in a text of somebody else's runs behind it.
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
 * Opens a cursor over SQL that somebody else has written. DECLARE takes only one SELECT, and none that changes anything. The server parses the
 * text alone: what passes has its parentheses in balance, so it can be put between others.
 * @param cursor its name, as SQL
 * @throws the server's error, 42601 for what is not one SELECT
 */
export async function declareSelect(client: SqlClient, cursor: string, sql: string): Promise<void> {
  await queryOne(client, `DECLARE ${cursor} CURSOR FOR ${sql}`);
}
