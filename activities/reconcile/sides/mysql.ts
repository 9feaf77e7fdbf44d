import { type MySQLConnection, type MySQLSession, openMySQL } from '../../../lib/databases/mysql.ts';
import { sqlFor } from '../../../workflows/plan/expressions/sql-template.ts';
import { userFault } from '../../run/errors.ts';
import type { DatabasePlace } from '../../support/sql/opened-database.ts';
import { isMySQLError, mysqlFailure } from '../../support/sql/mysql-failure.ts';
import { formatTable, parseTableName } from '../../support/sql/identifiers.ts';
import { didYouMean } from '../../support/nearest.ts';
import { mysql } from '../dialects/mysql.ts';
import { labelOf, type Place, type Session, Side } from '../side.ts';
import { mysqlColumn } from './mysql-columns.ts';
import type { SideToOpen } from './open-side.ts';

/**
 * Makes SQL mean the same on every server. Without backslash escapes, text quoted by Sluice stays text; without
 * PAD_CHAR_TO_FULL_LENGTH, CHAR is not padded.
 */
const FIXED = `SET SESSION time_zone = '+00:00', sql_mode = 'NO_BACKSLASH_ESCAPES,NO_ENGINE_SUBSTITUTION'`;

/** Opens a side in MySQL or MariaDB: one read-only transaction, whose snapshot contains the compared rows. */
export async function withMySQLSide<T>(
  { place, connection, task, signal, zones }: Omit<SideToOpen, 'connection'> & { readonly connection: MySQLConnection },
  work: (side: Side) => Promise<T>,
): Promise<T> {
  const label = labelOf(place);
  const where = {
    connection: place.conn_id,
    server: `${connection.host}:${connection.port}/${connection.database}`,
    user: connection.user,
  };
  const fail = (error: unknown): Error => mysqlFailure(error, where, `compare ${label}`);
  const session = await openMySQL(connection, `sluice ${task}`, signal).catch((error: unknown) => {
    throw fail(error);
  });
  try {
    await session.query(FIXED);
    for (const zone of zones) await requireZone(session, zone, where);
    await session.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await session.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
    return await work(new Side(sessionOf(session), { label, ...(await select(session, place, where)) }));
  } catch (error) {
    throw fail(error);
  } finally {
    await session.close();
  }
}

function sessionOf(session: MySQLSession): Session {
  return {
    dialect: mysql,
    postgresVersion: 0,
    database: undefined,
    texts: async (sql) => (await session.query(sql)).rows,
    async *batches(sql) {
      let batch: (string | null)[][] = [];
      for await (const row of session.rows(sql)) {
        batch.push(row);
        if (batch.length < BATCH) continue;
        yield batch;
        batch = [];
      }
      if (batch.length > 0) yield batch;
    },
    async guessRows(sql) {
      const { fields, rows } = await session.query(`EXPLAIN SELECT 1 FROM (${sql}\n) AS compared`);
      const at = fields.findIndex(({ name }) => name === 'rows');
      const guesses = rows.map((row) => Number(row[at] ?? 0));
      return Math.max(0, ...guesses);
    },
  };
}

const BATCH = 5_000;

/**
 * Selects the rows of a place, with texts as UTF-8 bytes. The server first parses the analyst's SQL alone, as a prepared statement, which
 * must be a single one: its parentheses are then balanced, so that it can be embedded where only a SELECT is allowed.
 */
async function select(session: MySQLSession, place: Place, where: DatabasePlace): Promise<Pick<Side, 'rows' | 'unfiltered' | 'columns'>> {
  const sql =
    place.query === undefined ? await fromTable(session, place.table ?? '', where) : await fromQuery(session, sqlFor('mysql', place.query));
  const condition = place.where === undefined ? undefined : sqlFor('mysql', place.where);
  if (condition !== undefined) await check(session, `${sql} WHERE ${condition}`, 'where');
  const chosen = condition === undefined ? sql : `${sql} WHERE (${condition}\n)`;
  const { fields } = await session.query(`SELECT * FROM (${chosen}\n) AS selected LIMIT 0`);
  const columns = fields.map(mysqlColumn);
  const list = columns.map(({ name, family }) => {
    const quoted = mysql.identifier(name);
    return family === 'text' ? `CAST(CONVERT(${quoted} USING utf8mb4) AS BINARY) AS ${quoted}` : quoted;
  });
  const rowsOf = (from: string): string => `SELECT ${list.join(', ')} FROM (${from}\n) AS selected`;
  return { rows: rowsOf(chosen), unfiltered: rowsOf(sql), columns };
}

async function fromTable(session: MySQLSession, text: string, where: DatabasePlace): Promise<string> {
  const { schema, table } = parseTableName(text);
  const sql = `SELECT * FROM ${schema === undefined ? '' : `${mysql.identifier(schema)}.`}${mysql.identifier(table)}`;
  await session.check(sql).catch(async (error: unknown) => {
    if (!isMySQLError(error) || error.errno !== NO_SUCH_TABLE) throw error;
    const names = await session.query(
      `SELECT table_schema, table_name, table_schema = DATABASE() FROM information_schema.tables
       WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') LIMIT 20000`,
    );
    const candidates = names.rows.map(([of, name, own]) => (own === '1' && schema === undefined ? (name ?? '') : `${of}.${name}`));
    const given = formatTable({ schema, table });
    const none = candidates.length === 0 ? ` User '${where.user}' sees no tables there.` : '';
    throw userFault(
      'TableNotFound',
      `There is no table '${given}' at ${where.server} (connection '${where.connection}').${didYouMean(given, candidates)}${none}`,
    );
  });
  return sql;
}

async function fromQuery(session: MySQLSession, query: string): Promise<string> {
  const sql = query.replace(/[\s;]+$/, '');
  await check(session, sql, 'query');
  return `SELECT * FROM (${sql}\n) AS query`;
}

const NO_SUCH_TABLE = 1146;
const NOT_SQL = 1064;

async function check(session: MySQLSession, sql: string, key: string): Promise<void> {
  await session.check(sql).catch((error: unknown) => {
    if (!isMySQLError(error) || error.errno !== NOT_SQL) throw error;
    throw userFault(
      'QueryFailed',
      `'${key}' is not one SELECT that can be read: ${error.message}. Write one statement, without a semicolon.`,
      error,
    );
  });
}

async function requireZone(session: MySQLSession, zone: string, { server, connection }: DatabasePlace): Promise<void> {
  const { rows } = await session.query(`SELECT CONVERT_TZ('2024-01-01', ${mysql.literal(zone)}, '+00:00')`);
  if (rows[0]?.[0] !== null) return;
  throw userFault(
    'InvalidParameters',
    `${server} (connection '${connection}') knows no time zone '${zone}'. Correct its name, or load the server's time zone tables (mysql_tzinfo_to_sql).`,
  );
}
