import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import { connectionVariable, parseConnection } from '../../connections/parse.ts';
import { testStack } from './test-stack.ts';

/** The database of one test file on the suite's MariaDB. */
export interface TestMySQLDatabase {
  readonly name: string;
  /** The connection, as a value of `SLUICE_CONN_…`. */
  readonly url: string;
  /** Runs statements in order and returns the rows of the last. Backslashes escape, which is the server's default. */
  rows(...statements: string[]): Promise<Record<string, unknown>[]>;
  drop(): Promise<void>;
}

/** Creates a database with a random name and a case-insensitive collation, which is MySQL's default. Drop it in `after`. */
export async function createMySQLDatabase(): Promise<TestMySQLDatabase> {
  const { environment } = await testStack(['mysql']);
  const server = parseConnection('mysql_default', environment[connectionVariable('mysql_default')] ?? '');
  if (server.type !== 'mysql') throw new Error('mysql_default is not MySQL.');
  const { host, port, user, password } = server;
  const name = `test_${randomBytes(6).toString('hex')}`;
  const client = await mysql.createConnection({ host, port, user, password, timezone: 'Z', charset: 'utf8mb4' });
  await client.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
  await client.query(`USE ${name}`);
  await client.query(`SET time_zone = '+00:00', sql_mode = 'NO_ENGINE_SUBSTITUTION'`);
  return {
    name,
    url: `mysql://${user}:${encodeURIComponent(password)}@${host}:${port}/${name}`,
    async rows(...statements) {
      let answer: unknown = [];
      for (const sql of statements) [answer] = await client.query(sql);
      return answer as Record<string, unknown>[];
    },
    async drop() {
      await client.query(`DROP DATABASE ${name}`);
      await client.end();
    },
  };
}

/** Defines one time zone from Node's data, because the server's time zone tables are empty. */
export async function defineBerlin(database: TestMySQLDatabase): Promise<void> {
  const clock = new Intl.DateTimeFormat('en-US', { timeZone: 'Europe/Berlin', hour: 'numeric', hourCycle: 'h23' });
  const isSummer = (hour: number): boolean => (Number(clock.format(hour * 3_600_000)) - (hour % 24) + 24) % 24 === 2;
  const changes: string[] = [];
  for (let hour = 1; hour < 590_000; hour += 1) {
    if (isSummer(hour) !== isSummer(hour - 1)) changes.push(`(77, ${hour * 3600}, ${isSummer(hour) ? 1 : 0})`);
  }
  await database.rows(
    "REPLACE INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (77, 'N')",
    "REPLACE INTO mysql.time_zone_transition_type VALUES (77, 0, 3600, 0, 'CET'), (77, 1, 7200, 1, 'CEST')",
    `REPLACE INTO mysql.time_zone_transition VALUES ${changes.join(', ')}`,
    "REPLACE INTO mysql.time_zone_name VALUES ('Europe/Berlin', 77)",
  );
}
