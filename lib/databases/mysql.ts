import type { Readable } from 'node:stream';
import type mysql from 'mysql2/promise';
import { loadDriver } from '../driver.ts';
import type { SqlServer } from './sql-server.ts';
import { withinTime } from '../time-limit.ts';
import { untilAborted } from '../until-aborted.ts';

/** MySQL or MariaDB. */
export interface MySQLConnection extends SqlServer {
  readonly type: 'mysql';
}

const CONNECT_TIMEOUT_MS = 10_000;
const CANCEL_TIMEOUT_MS = 5_000;

/** A column of a result, as the server describes it. */
export interface MySQLField {
  readonly name: string;
  /** The protocol's type number. */
  readonly type: number;
  /** Protocol flags: 32 unsigned, 256 enum, 2048 set. */
  readonly flags: number;
  /** Maximum length in bytes. */
  readonly length: number;
  /** Digits after the decimal point; 31 for floats. */
  readonly decimals: number;
  /** 63 means binary. */
  readonly characterSet: number;
}

export interface MySQLAnswer {
  readonly fields: readonly MySQLField[];
  /** Values as the server's text. */
  readonly rows: (string | null)[][];
}

/** A session on MySQL or MariaDB. */
export interface MySQLSession {
  /** Runs one statement. */
  query(sql: string): Promise<MySQLAnswer>;
  /** Has the server parse one statement without running it; rejects several statements. */
  check(sql: string): Promise<void>;
  /** Yields the rows of a statement with backpressure. No other query can run meanwhile. */
  rows(sql: string): AsyncIterable<(string | null)[]>;
  /** Ends the session: cancels a running statement and rolls back a transaction. Never rejects. */
  close(): Promise<void>;
}

const loadMySQL = (): Promise<typeof mysql> =>
  loadDriver('mysql2', 'MySQL connections', async () => (await import('mysql2/promise')).default);

/** Reads all values as UTF-8 text: numbers keep every digit, and times keep their zeros. */
const typeCast = (field: { buffer(): Buffer | null }): string | null => field.buffer()?.toString('utf8') ?? null;

/**
 * Opens a session. Aborting `signal` ends it immediately: pending queries reject, and the server is asked to cancel its statement.
 * @param programName shown to database administrators among the session's attributes
 */
export async function openMySQL(connection: MySQLConnection, programName: string, signal: AbortSignal): Promise<MySQLSession> {
  signal.throwIfAborted();
  const { createConnection } = await loadMySQL();
  const client = await untilAborted(signal, createConnection(optionsOf(connection, programName)));
  // Queries reject on their own when the session breaks; without a listener the event would crash the process.
  client.on('error', () => {});
  let busy = 0;
  let cancelling: Promise<void> | undefined;
  const breakOff = (): void => {
    cancelling ??= cancelOnServer(connection, client.threadId);
    client.destroy();
  };
  signal.addEventListener('abort', breakOff, { once: true });
  const during = async <T>(work: Promise<T>): Promise<T> => {
    busy += 1;
    const result = await untilAborted(signal, work);
    busy -= 1;
    return result;
  };
  return {
    async query(sql) {
      const [rows, fields] = await during(client.query<mysql.RowDataPacket[][]>({ sql, rowsAsArray: true, typeCast }).catch(unbusy));
      return { fields: (fields ?? []).map(fieldOf), rows: rows as unknown as (string | null)[][] };
    },
    async check(sql) {
      const statement = await during(client.prepare(sql).catch(unbusy));
      await statement.close();
    },
    async *rows(sql) {
      busy += 1;
      // Streams exist only in the driver's callback interface.
      const older = (client as unknown as { readonly connection: { query(options: object): { stream(options: object): Readable } } })
        .connection;
      const stream = older.query({ sql, rowsAsArray: true, typeCast }).stream({ highWaterMark: 1_000, signal });
      for await (const row of stream as AsyncIterable<(string | null)[]>) yield row;
      busy -= 1;
    },
    async close() {
      signal.removeEventListener('abort', breakOff);
      if (busy > 0 && cancelling === undefined) breakOff();
      if (cancelling === undefined) {
        // Do not wait for a server that no longer answers.
        await withinTime(CANCEL_TIMEOUT_MS, undefined, () => client.end()).catch(() => client.destroy());
      }
      await cancelling;
    },
  };

  /** A statement that the server rejected is no longer running. */
  function unbusy(error: unknown): never {
    busy -= 1;
    throw error;
  }
}

function fieldOf(field: mysql.FieldPacket): MySQLField {
  const { name, type = 0, flags, columnLength: length = 0, decimals, characterSet } = field as typeof field & { characterSet?: number };
  return { name, type, flags: Number(flags), length, decimals: decimals ?? 0, characterSet: characterSet ?? 0 };
}

function optionsOf({ host, port, user, password, database, sslmode }: MySQLConnection, programName: string): mysql.ConnectionOptions {
  return {
    host,
    port,
    user,
    password,
    database,
    ...(sslmode !== 'disable' && { ssl: { rejectUnauthorized: sslmode === 'verify-full', verifyIdentity: sslmode === 'verify-full' } }),
    charset: 'utf8mb4',
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    keepAliveInitialDelay: 30_000,
    connectAttributes: { program_name: programName },
  };
}

/** Cancels the statement: a server notices a lost client only on its next write, and a long statement would hold its locks until then. */
async function cancelOnServer(connection: MySQLConnection, thread: number): Promise<void> {
  try {
    const { createConnection } = await loadMySQL();
    const canceller = await createConnection({ ...optionsOf(connection, 'sluice: cancel'), connectTimeout: CANCEL_TIMEOUT_MS });
    canceller.on('error', () => {});
    await canceller.query({ sql: `KILL ${Number(thread)}`, timeout: CANCEL_TIMEOUT_MS }).finally(() => canceller.destroy());
  } catch {
    // Best effort: the socket of the session is already closed.
  }
}
