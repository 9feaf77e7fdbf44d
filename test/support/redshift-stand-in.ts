import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { AwsConnection } from '../../lib/s3.ts';
import { type Misbehaviour, RedshiftSession } from './redshift/session.ts';
import type { TestDatabase } from './databases.ts';

/** A stand-in for Redshift's features that Sluice uses, in front of a test's database. */
export interface RedshiftStandIn {
  /** The connection, as a value of `SLUICE_CONN_…`; with `iam_role` it reads S3 as `aws` does. */
  readonly url: string;
  /** The same without a role: COPY then requires keys. */
  readonly urlWithoutRole: string;
  /** The received statements, in order. */
  readonly statements: readonly string[];
  /** Causes this fault once, at the next opportunity. */
  misbehave(how: Misbehaviour): void;
  close(): Promise<void>;
}

export const TEST_ROLE = 'arn:aws:iam::123456789012:role/load';

/**
 * Starts a server for PostgreSQL's wire protocol that forwards what Redshift supports to `database`, rejects what Redshift does not
 * support, and runs `COPY … FROM 's3://…' MANIFEST` itself, in the transaction of the session.
 */
export async function startRedshiftStandIn(database: TestDatabase, aws: AwsConnection): Promise<RedshiftStandIn> {
  const postgres = new URL(database.url.replace(/^postgresql:/, 'http:'));
  const statements: string[] = [];
  const planned = new Set<Misbehaviour>();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(postgres.port || 80), postgres.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // Otherwise each small message would wait for the acknowledgement of the previous one.
      socket.setNoDelay(true);
      // A socket error closes the session; the stream reports it to the reader.
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    void new RedshiftSession({
      client,
      upstream,
      aws,
      takes: (misbehaviour) => planned.delete(misbehaviour),
      seen: (sql) => statements.push(sql),
    }).run();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const urlWithoutRole = `redshift://${postgres.username}:${postgres.password}@127.0.0.1:${port}${postgres.pathname}`;
  return {
    url: `${urlWithoutRole}?iam_role=${encodeURIComponent(TEST_ROLE)}`,
    urlWithoutRole,
    statements,
    misbehave: (how) => void planned.add(how),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
