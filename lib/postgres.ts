import pg from 'pg';
import type { PostgresConnection, RedshiftConnection } from './connections.ts';

export type SqlClient = pg.Client;

const CONNECT_TIMEOUT_MS = 10_000;
const CANCEL_TIMEOUT_MS = 5_000;

/** A session on PostgreSQL or Redshift. */
export interface PostgresSession {
  readonly client: SqlClient;
  /** Ends the session, whatever it is at: a statement under way is cancelled, a transaction rolled back. Never rejects. */
  close(): Promise<void>;
}

/**
 * Opens a session. An abort of `signal` ends it at once: what is under way rejects, and the server is told to stop working on it.
 * @param applicationName what a database administrator sees in `pg_stat_activity`
 */
export async function openPostgres(
  connection: PostgresConnection | RedshiftConnection,
  applicationName: string,
  signal: AbortSignal,
): Promise<PostgresSession> {
  signal.throwIfAborted();
  const client = new pg.Client(clientConfig(connection, applicationName));
  // Queries reject by themselves when the session breaks; without a listener the event would end the process.
  client.on('error', () => {});
  let cancelling: Promise<void> | undefined;
  const breakOff = (): void => {
    cancelling ??= cancelOnServer(connection, client);
    internals(client).connection?.stream?.destroy();
  };
  signal.addEventListener('abort', breakOff, { once: true });
  try {
    await client.connect();
  } catch (error) {
    signal.removeEventListener('abort', breakOff);
    internals(client).connection?.stream?.destroy();
    throw error;
  }
  return {
    client,
    async close() {
      signal.removeEventListener('abort', breakOff);
      if (!internals(client).readyForQuery && cancelling === undefined) breakOff();
      const ended = client.end().catch(() => {});
      // A server that does not answer any more is not waited for.
      const timer = setTimeout(() => internals(client).connection?.stream?.destroy(), CANCEL_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
      await cancelling;
    },
  };
}

/** What `pg` has no name for: whether a session is idle, whom to ask for a cancel, and the socket, which is the only way to drop one. */
function internals(client: SqlClient): {
  readonly connection?: { readonly stream?: { destroy(): void } };
  readonly readyForQuery?: boolean;
  readonly processID?: number | null;
} {
  return client;
}

function clientConfig(connection: PostgresConnection | RedshiftConnection, applicationName: string): pg.ClientConfig {
  const { host, port, user, password, database, sslmode } = connection;
  return {
    host,
    port,
    user,
    password,
    database,
    ssl: sslmode === 'disable' ? false : { rejectUnauthorized: sslmode === 'verify-full' },
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    // PostgreSQL cuts longer names off with a notice.
    application_name: applicationName.slice(0, 63),
  };
}

/** A server notices a lost client only when it next writes to it; a long statement would hold its locks until then. */
async function cancelOnServer(connection: PostgresConnection | RedshiftConnection, client: SqlClient): Promise<void> {
  const { processID } = internals(client);
  if (!processID) return;
  const canceller = new pg.Client({
    ...clientConfig(connection, 'sluice: cancel'),
    connectionTimeoutMillis: CANCEL_TIMEOUT_MS,
    query_timeout: CANCEL_TIMEOUT_MS,
  });
  canceller.on('error', () => {});
  try {
    await canceller.connect();
    await canceller.query('SELECT pg_cancel_backend($1)', [processID]);
  } catch {
    // Best effort: the session's socket is closed already.
  } finally {
    await canceller.end().catch(() => {});
  }
}
