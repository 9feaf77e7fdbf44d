import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { connectionVariable, parseConnection } from '../../connections/parse.ts';
import { testStack } from './test-stack.ts';

/** The database of one test file. */
export interface TestDatabase {
  readonly name: string;
  /** The connection, as a value of `SLUICE_CONN_…`. */
  readonly url: string;
  readonly client: pg.Client;
  /** Runs one statement and returns its rows. */
  rows<T extends pg.QueryResultRow = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<T[]>;
  drop(): Promise<void>;
}

/** Creates a database with a random name on the suite's PostgreSQL. Drop it in `after`. */
export async function createDatabase(): Promise<TestDatabase> {
  const { environment } = await testStack(['postgres']);
  const variable = connectionVariable('postgres_default');
  const server = parseConnection('postgres_default', environment[variable] ?? '');
  if (server.type !== 'postgres') throw new Error(`${variable} is not PostgreSQL.`);
  const { host, port, user, password } = server;
  const asAdministrator = async (sql: string): Promise<void> => {
    const client = new pg.Client({ host, port, user, password, database: server.database });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdministrator(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
  const url = `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${name}`;
  const client = new pg.Client({ host, port, user, password, database: name });
  client.on('error', () => {});
  await client.connect();
  // A client runs one statement at a time.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    name,
    url,
    client,
    async rows(sql, values) {
      const result = turn.then(() => client.query(sql, values));
      turn = result.catch(() => undefined);
      return (await result).rows;
    },
    async drop() {
      await client.end();
      await asAdministrator(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
