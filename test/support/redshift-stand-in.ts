import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { AwsConnection } from '../../lib/s3.ts';
import { type Misbehaviour, RedshiftSession } from './redshift/session.ts';
import type { TestDatabase } from './databases.ts';

/** Redshift as far as Sluice uses it, in front of a database of a test's own. */
export interface RedshiftStandIn {
  /** Its connection, as a value of `SLUICE_CONN_…`; with the rights of `iam_role` it reads S3 as `aws` does. */
  readonly url: string;
  /** The same without a role: COPY then needs keys. */
  readonly urlWithoutRole: string;
  /** The statements it was sent, in order. */
  readonly statements: readonly string[];
  /** Does this wrong, at the next occasion and once. */
  misbehave(how: Misbehaviour): void;
  close(): Promise<void>;
}

export const TEST_ROLE = 'arn:aws:iam::123456789012:role/load';

/**
 * Starts a server that speaks PostgreSQL's wire protocol, passes what Redshift knows on to `database`, refuses what Redshift does not know,
 * and carries out `COPY … FROM 's3://…' MANIFEST` itself, in the session's own transaction.
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
      // Small messages go to and fro; each would wait for the acknowledgement of the one before.
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
