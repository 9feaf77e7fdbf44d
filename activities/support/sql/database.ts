import type { Database } from './opened-database.ts';
import { openPostgres, type PostgresConnection, type RedshiftConnection, type SqlClient } from '../../../lib/databases/postgres.ts';
import { sqlFor } from '../../../workflows/plan/expressions/sql-template.ts';
import { databaseFailure } from './database-failure.ts';

/** The connection of a task that supports any database. */
export const DATABASE = {
  key: 'conn_id',
  default: 'postgres_default',
  types: ['postgres', 'redshift'],
  description: 'The database.',
} as const;

/** SQL with values rendered by a pipeline, in the database's own syntax. */
export function sqlAt({ type }: Pick<Database, 'type'>, sql: string): string {
  return type === 'redshift' ? sqlFor(type, sql) : sql;
}

/**
 * Opens a session, runs `work` in it and closes it. Server errors become task failures.
 * @param doing the operation, for messages: `read product_categories`
 */
export async function withDatabase<T>(
  options: {
    readonly connection: PostgresConnection | RedshiftConnection;
    readonly name: string;
    readonly task: string;
    readonly doing: string;
    readonly signal: AbortSignal;
  },
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const { connection, name, task, doing, signal } = options;
  const place = { connection: name, server: `${connection.host}:${connection.port}/${connection.database}`, user: connection.user };
  const fail = (error: unknown): Error => databaseFailure(error, place, doing);
  const session = await openPostgres(connection, `sluice ${task}`, signal).catch((error: unknown) => {
    throw fail(error);
  });
  try {
    return await work({ client: session.client, type: connection.type, ...place });
  } catch (error) {
    throw fail(error);
  } finally {
    await session.close();
  }
}

/**
 * Fixes the formats of `COPY`, regardless of the settings of server, database and role. Applies only to the current transaction: behind a
 * pooler another client uses the session next.
 * PostgreSQL only: Redshift's formats are fixed.
 */
export async function fixFormats(client: SqlClient): Promise<void> {
  await client.query(
    `SET LOCAL TIME ZONE 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL bytea_output = 'hex';
     SET LOCAL extra_float_digits = 3; SET LOCAL client_encoding = 'UTF8'; SET LOCAL xmloption = 'content';
     SAVEPOINT sluice_formats`,
  );
  // On PostgreSQL 14 and later, where the system supports it, the statement and locks of a killed worker end with its connection.
  const ended = await client
    .query(
      `SELECT set_config(name, '2s', true) FROM pg_settings WHERE name = 'client_connection_check_interval'
     AND current_setting('server_version_num')::int >= 140000`,
    )
    .then(
      () => 'RELEASE SAVEPOINT sluice_formats',
      () => 'ROLLBACK TO SAVEPOINT sluice_formats',
    );
  await client.query(ended);
}
