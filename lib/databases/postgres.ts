import pg from 'pg';
import { VALUES_AS_JSON } from './postgres-values.ts';
import type { SqlServer } from './sql-server.ts';

export interface PostgresConnection extends SqlServer {
  readonly type: 'postgres';
}

export interface RedshiftConnection extends SqlServer {
  readonly type: 'redshift';
  /** The role with which `COPY` reads S3; absent: the keys of the task's AWS connection. */
  readonly iam_role?: string;
}

export type SqlClient = pg.Client;

const CONNECT_TIMEOUT_MS = 10_000;
const CANCEL_TIMEOUT_MS = 5_000;
/** How long a session stays open after an abort, so that the server receives the cancel request. */
const CANCEL_FIRST_MS = 1_000;

/** A session on PostgreSQL or Redshift. */
export interface PostgresSession {
  readonly client: SqlClient;
  /** Ends the session: cancels a running statement and rolls back a transaction. Never rejects. */
  close(): Promise<void>;
}

/**
 * Opens a session. Aborting `signal` ends it immediately: pending queries reject, and the server is asked to cancel its statement.
 * @param applicationName shown to database administrators in `pg_stat_activity`
 */
export async function openPostgres(
  connection: PostgresConnection | RedshiftConnection,
  applicationName: string,
  signal: AbortSignal,
): Promise<PostgresSession> {
  signal.throwIfAborted();
  const client = new pg.Client(clientConfig(connection, applicationName));
  // Queries reject on their own when the session breaks; without a listener the event would crash the process.
  client.on('error', () => {});
  let cancelling: Promise<void> | undefined;
  const destroy = (): void => internals(client).connection?.stream?.destroy();
  const breakOff = (): void => {
    if (cancelling) return;
    // A pooler forgets the statement when the session closes, so send the cancel request first and pause the session until then.
    internals(client).connection?.stream?.pause();
    cancelling = cancelOnServer(connection, client);
    const timer = setTimeout(destroy, CANCEL_FIRST_MS);
    void cancelling.then(() => (clearTimeout(timer), destroy()));
  };
  signal.addEventListener('abort', breakOff, { once: true });
  try {
    await client.connect();
  } catch (error) {
    signal.removeEventListener('abort', breakOff);
    destroy();
    throw error;
  }
  return {
    client,
    async close() {
      signal.removeEventListener('abort', breakOff);
      if (!internals(client).readyForQuery && cancelling === undefined) breakOff();
      const ended = client.end().catch(() => {});
      // Do not wait for a server that no longer answers.
      const timer = setTimeout(destroy, CANCEL_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
      await cancelling;
    },
  };
}

/**
 * Internals that `pg` does not expose: whether a session is idle, the keys of a cancel request, and the socket, which is needed to drop a
 * session.
 */
function internals(client: SqlClient): {
  readonly connection?: { readonly stream?: { pause(): void; destroy(): void } };
  readonly readyForQuery?: boolean;
  readonly processID?: number | null;
  readonly secretKey?: number | null;
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
    types: VALUES_AS_JSON,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    // PostgreSQL truncates longer names with a notice.
    application_name: applicationName.slice(0, 63),
  };
}

/**
 * Sends a cancel request: a server notices a lost client only on its next write, and a long statement would hold its locks until then. Uses
 * the protocol's own request, because behind a pooler the process id is not the server's.
 */
async function cancelOnServer(connection: PostgresConnection | RedshiftConnection, client: SqlClient): Promise<void> {
  const { processID, secretKey } = internals(client);
  if (!processID || secretKey === undefined || secretKey === null) return;
  const { ssl, host = '', port = 5432 } = clientConfig(connection, '');
  const canceller = new pg.Connection({ ssl }) as pg.Connection & Canceller;
  await new Promise<void>((resolve) => {
    // Best effort: the session ends in any case.
    canceller.on('error', () => canceller.stream.destroy()).on('end', resolve);
    const send = (): void => canceller.cancel(processID, secretKey);
    canceller.on('connect', ssl ? () => canceller.requestSsl() : send).on('sslconnect', send);
    const timer = setTimeout(() => canceller.stream.destroy(), CANCEL_TIMEOUT_MS);
    canceller.on('end', () => clearTimeout(timer));
    canceller.connect(port, host);
  });
}

/** Internals that are missing in the types of `pg`. */
interface Canceller {
  connect(port: number, host: string): void;
  requestSsl(): void;
  cancel(processID: number, secretKey: number): void;
}
