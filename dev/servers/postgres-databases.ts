import pg from 'pg';
import { secretOf } from './secrets.ts';

export const POSTGRES_USER = 'sluice';

/** The demo's pipeline reads `source` and loads `warehouse`. */
export const DATABASES = ['source', 'warehouse'] as const;

export async function postgresPassword(home: string): Promise<string> {
  return secretOf(home, 'postgres_password');
}

export async function postgresUrl(home: string, port: number, database: string): Promise<string> {
  return `postgresql://${POSTGRES_USER}:${await postgresPassword(home)}@127.0.0.1:${port}/${database}`;
}

/** Runs `ask` with a connection to the local server, which also proves that the login works. */
export async function askPostgres<T>(home: string, port: number, database: string, ask: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: await postgresUrl(home, port, database), connectionTimeoutMillis: 2_000 });
  // Stopping the server during a connection must not crash this process.
  client.on('error', () => {});
  await client.connect();
  try {
    return await ask(client);
  } finally {
    await client.end();
  }
}
