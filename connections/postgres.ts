import type { PostgresConnection, RedshiftConnection } from '../lib/databases/postgres.ts';
import { DATABASE_FIELDS, readDatabase } from './database.ts';
import { defineConnection } from './define-connection.ts';

export const postgres = defineConnection<PostgresConnection>({
  type: 'postgres',
  description: 'PostgreSQL',
  schemes: ['postgres', 'postgresql'],
  example: 'postgresql://user:password@host:5432/database',
  fields: DATABASE_FIELDS,
  read: (fields) => ({ type: 'postgres', ...readDatabase(fields, 5432) }),
  check: checkPostgres,
});

/** Also works for Amazon Redshift, which uses the same protocol. */
export async function checkPostgres(connection: PostgresConnection | RedshiftConnection, signal: AbortSignal): Promise<string> {
  const { openPostgres } = await import('../lib/databases/postgres.ts');
  const session = await openPostgres(connection, 'sluice doctor', signal);
  try {
    const { rows } = await session.client.query<{ version: string }>('SELECT version()');
    return `${rows[0]?.version.split(' ').slice(0, 2).join(' ')} at ${connection.host}:${connection.port}, database ${connection.database}`;
  } finally {
    await session.close();
  }
}
