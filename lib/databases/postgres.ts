import pg from 'pg';
import { VALUES_AS_JSON } from './postgres-values.ts';
import type { SqlServer } from './sql-server.ts';

export interface PostgresConnection extends SqlServer {
  readonly type: 'postgres';
}

export interface RedshiftConnection extends SqlServer {
  readonly type: 'redshift';
  /** The role that `COPY` reads S3 with; absent: the keys of the task's AWS connection. */
  readonly iam_role?: string;
}

export type SqlClient = pg.Client;

const CONNECT_TIMEOUT_MS = 10_000;
const CANCEL_TIMEOUT_MS = 5_000;
/** How long a session outlives its abort, for the server to hear of it. */
const CANCEL_FIRST_MS = 1_000;

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
      // A server that does not answer any more is not waited for.
      const timer = setTimeout(destroy, CANCEL_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
      await cancelling;
    },
  };
}

/** What `pg` has no name for: whether a session is idle, whom to ask for a cancel, and the socket, which is the only way to drop one. */
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
    // PostgreSQL cuts longer names off with a notice.
    application_name: applicationName.slice(0, 63),
  };
}

/**
 * Asks the server to stop what the session is at: it notices a lost client only when it next writes to it, and a long statement would hold
 * its locks until then. The protocol's own request, because a pooler knows only that one: the process that it has named is not the server's.
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

/** What the types of `pg` leave out. */
interface Canceller {
  connect(port: number, host: string): void;
  requestSsl(): void;
  cancel(processID: number, secretKey: number): void;
}
