import type { PostgresConnection, RedshiftConnection, SqlClient } from '../../../lib/databases/postgres.ts';
import { fixFormats, withDatabase } from '../../support/sql/database.ts';
import type { Database } from '../../support/sql/opened-database.ts';
import { buildSelect } from '../../support/sql/select-statement.ts';
import { comparedColumn } from '../column-family.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { withCasing } from '../dialects/postgres.ts';
import { redshift } from '../dialects/redshift.ts';
import { labelOf, type Session, Side } from '../side.ts';
import type { SideToOpen } from './open-side.ts';

/** Opens a side in PostgreSQL or Redshift: one transaction, whose snapshot contains the compared rows. */
export async function withPostgresSide<T>(
  {
    place,
    connection,
    task,
    interval,
    signal,
    writes,
  }: Omit<SideToOpen, 'connection'> & { readonly connection: PostgresConnection | RedshiftConnection },
  work: (side: Side) => Promise<T>,
): Promise<T> {
  const label = labelOf(place);
  return withDatabase({ connection, name: place.conn_id, task, doing: `compare ${label}`, signal }, async (database) => {
    const { client } = database;
    const isPostgres = connection.type === 'postgres';
    const access = writes ? 'READ WRITE' : 'READ ONLY';
    await client.query(isPostgres ? `BEGIN ISOLATION LEVEL REPEATABLE READ, ${access}` : `BEGIN ${access}`);
    if (isPostgres) await fixFormats(client);
    const all = {
      ...(place.table !== undefined && { source_table: place.table }),
      ...(place.query !== undefined && { query: place.query }),
    };
    const unfiltered = await buildSelect(database, all, interval);
    const { sql, columns } = place.where === undefined ? unfiltered : await buildSelect(database, { ...all, where: place.where }, interval);
    const session = isPostgres ? new PostgresSession(database, await factsOf(client)) : new PostgresSession(database, undefined);
    return work(
      new Side(session, {
        label,
        rows: sql,
        unfiltered: unfiltered.sql,
        columns: columns.map(({ name, type }) => comparedColumn(name, type)),
      }),
    );
  });
}

class PostgresSession implements Session {
  readonly database: Database;
  readonly dialect: Dialect;
  readonly postgresVersion: number;

  /** @param facts undefined: Redshift */
  constructor(database: Database, facts: Facts | undefined) {
    this.database = database;
    this.dialect = facts ? withCasing(facts.casing ?? undefined) : redshift;
    this.postgresVersion = Number(facts?.version ?? 0);
  }

  async texts(sql: string): Promise<(string | null)[][]> {
    const { rows } = await this.database.client.query<(string | null)[]>({ text: sql, rowMode: 'array', types: AS_TEXT });
    return rows;
  }

  async *batches(sql: string): AsyncGenerator<(string | null)[][]> {
    await this.database.client.query(`DECLARE sluice_rows CURSOR FOR ${sql}`);
    for (;;) {
      const rows = await this.texts(`FETCH FORWARD ${FETCHED} FROM sluice_rows`);
      if (rows.length === 0) break;
      yield rows;
    }
    await this.database.client.query('CLOSE sluice_rows');
  }

  async guessRows(sql: string): Promise<number | undefined> {
    if (this.postgresVersion === 0) return undefined;
    const { rows } = await this.database.client.query<{ 'QUERY PLAN': readonly { Plan: { 'Plan Rows': number } }[] }>(
      `EXPLAIN (FORMAT JSON) SELECT 1 FROM (${sql}\n) AS compared`,
    );
    return rows[0]?.['QUERY PLAN'][0]?.Plan['Plan Rows'];
  }
}

const FETCHED = 5_000;
/** Values in the server's text format. */
const AS_TEXT = { getTypeParser: () => (value: string) => value } as never;

interface Facts {
  readonly version: string;
  /** A collation for the lowercase letters of all alphabets. */
  readonly casing: string | null;
}

async function factsOf(client: SqlClient): Promise<Facts> {
  const { rows } = await client.query<Facts>(
    `SELECT current_setting('server_version_num') AS version,
       (SELECT min(collname::text) FROM pg_collation WHERE collname IN ('pg_c_utf8', 'und-x-icu') AND pg_collation_is_visible(oid)) AS casing`,
  );
  return rows[0] ?? { version: '0', casing: null };
}
