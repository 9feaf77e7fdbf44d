import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'mocha';
import type { Connection, ConnectionType } from '../../../connections/catalog.ts';
import type { HttpConnection } from '../../../connections/http.ts';
import { ConnectionError, parseConnection } from '../../../connections/parse.ts';
import { secureUrl } from '../../../lib/encryption.ts';
import { callHttp } from '../../../lib/http.ts';
import { untilAborted } from '../../../lib/until-aborted.ts';
import { createKafka } from '../../../lib/kafka/client.ts';
import { SchemaRegistry } from '../../../lib/kafka/schema-registry.ts';
import { openMySQL } from '../../../lib/databases/mysql.ts';
import { openPostgres } from '../../../lib/databases/postgres.ts';
import { openRabbitMQ } from '../../../lib/rabbitmq.ts';
import { openS3 } from '../../../lib/s3.ts';

interface Case {
  /** A connection that does not say whether it is encrypted. @param host with a port */
  readonly usual: (host: string) => string;
  /** One that says that it is not. */
  readonly clear?: (host: string) => string;
  /** Whether all that it does is encrypted, and the certificate verified. */
  readonly isSecure: (connection: never) => boolean;
}

const sql = (scheme: string): Case => ({
  usual: (host) => `${scheme}://ann:secret@${host}/d`,
  clear: (host) => `${scheme}://ann:secret@${host}/d?sslmode=disable`,
  isSecure: ({ sslmode }: { sslmode: string }) => sslmode === 'verify-full',
});
const address = (scheme: string, clear = scheme): Case => ({
  usual: (host) => `${scheme}://ann:secret@${host}/base`,
  clear: (host) => `${clear}://ann:secret@${host}/base?tls=false`,
  isSecure: ({ url }: { url: string }) => url.startsWith('https://'),
});
const kafka = (user: string): Case => ({
  usual: (host) => `kafka://${user}${host}/?schema_registry=http://${host}/api`,
  clear: (host) => `kafka://${user}${host}/?schema_registry=http://${host}/api&tls=false`,
  isSecure: ({ security_protocol: protocol, schema_registry: registry }: { security_protocol: string; schema_registry: string }) =>
    protocol.endsWith('SSL') && registry.startsWith('https:'),
});

/** Every type of connection, in every way to write it. A new type does not compile without its cases. */
const CASES: Record<ConnectionType, Readonly<Record<string, Case>>> = {
  postgres: { uri: sql('postgresql') },
  redshift: { uri: sql('redshift') },
  mysql: { uri: sql('mysql') },
  aws: {
    uri: {
      usual: (host) => `aws://KEY:SECRET@/?endpoint_url=http://${host}`,
      clear: (host) => `aws://KEY:SECRET@/?endpoint_url=http://${host}&tls=false`,
      isSecure: ({ endpoint_url: endpoint }: { endpoint_url: string }) => endpoint.startsWith('https:'),
    },
  },
  kafka: { 'without a user': kafka(''), 'with a user': kafka('ann:secret@') },
  http: {
    uri: address('http'),
    json: {
      usual: (host) => `{"type":"http","url":"http://${host}/base","token":"secret"}`,
      clear: (host) => `{"type":"http","url":"http://${host}/base","token":"secret","tls":false}`,
      isSecure: ({ url }: { url: string }) => url.startsWith('https:'),
    },
  },
  mlflow: { uri: address('mlflow', 'mlflow+http') },
  kafka_connect: { uri: address('kafka-connect', 'kafka-connect+http') },
  rabbitmq: {
    uri: {
      usual: (host) => `amqp://ann:secret@${host}/v`,
      clear: (host) => `amqp://ann:secret@${host}/v?tls=false`,
      isSecure: ({ tls }: { tls: boolean }) => tls,
    },
    json: {
      usual: (host) => JSON.stringify({ type: 'rabbitmq', host: host.split(':')[0], user: 'ann', password: 'secret' }),
      clear: (host) => JSON.stringify({ type: 'rabbitmq', host: host.split(':')[0], user: 'ann', password: 'secret', tls: false }),
      isSecure: ({ tls, port }: { tls: boolean; port: number }) => tls && port === 5671,
    },
  },
  // Its client knows https only.
  pagerduty: { uri: { usual: (host) => `pagerduty://secret@${host}`, isSecure: () => true } },
  // Spark encrypts as its own configuration says, and S3 as the connection of the task.
  spark: {},
  // A program on the worker: each route connects in its own way.
  camel: {},
};

describe('who is on the network between a worker and its servers', () => {
  for (const [type, cases] of Object.entries(CASES)) {
    for (const [name, { usual, clear, isSecure }] of Object.entries(cases)) {
      const secure = (text: string): boolean => isSecure(parseConnection('x', text) as never);
      it(`${type}, ${name}: reads nothing, unless the connection allows it; loopback is in clear`, () => {
        for (const host of ['server.example:9999', '10.0.0.1:9999', '127.evil.example:9999', 'localhost.example:9999']) {
          assert.equal(secure(usual(host)), true, usual(host));
          if (clear) assert.equal(secure(clear(host)), false, clear(host));
        }
        if (clear) assert.equal(secure(usual('127.0.0.1:9999')), false);
      });
    }
  }

  it("nor what the dead man's switch is called by", () => {
    assert.equal(secureUrl('http://switch.example/key'), 'https://switch.example/key');
    assert.equal(secureUrl('http://127.0.0.1:9/key'), 'http://127.0.0.1:9/key');
  });

  it('a connection that says two things is refused', () => {
    for (const text of [
      'https://h/?tls=false',
      'amqps://h/v?tls=false',
      'kafka://h:1/?tls=false&security_protocol=SSL',
      'kafka://h:1/?tls=true&security_protocol=PLAINTEXT',
      'aws://K:S@/?endpoint_url=https://h&tls=false',
      'http://h/?tls=maybe',
    ]) {
      assert.throws(() => parseConnection('x', text), ConnectionError, text);
    }
    assert.equal(
      (parseConnection('x', 'kafka://h:1/?security_protocol=PLAINTEXT') as { security_protocol: string }).security_protocol,
      'PLAINTEXT',
    );
  });

  /** How each client begins to talk. */
  const CLIENTS: Readonly<Record<string, (port: number, signal: AbortSignal) => Promise<unknown>>> = {
    postgres: (port, signal) => openPostgres(read(`postgresql://ann:secret@127.0.0.1:${port}/d?sslmode=verify-full`), 'test', signal),
    mysql: (port, signal) => openMySQL(read(`mysql://ann:secret@127.0.0.1:${port}/d?sslmode=verify-full`), 'test', signal),
    http: (port, signal) => callHttp(read<HttpConnection>(`http://ann:secret@127.0.0.1:${port}/?tls=true`), { path: '/', signal }),
    aws: async (port) => {
      const client = openS3(read(`aws://KEY:secret@/?endpoint_url=http://127.0.0.1:${port}&tls=true`));
      try {
        await client.config.requestHandler.handle({
          protocol: (await client.config.endpoint?.())?.protocol,
          hostname: '127.0.0.1',
          port,
          method: 'GET',
          path: '/',
          headers: {},
        } as never);
      } finally {
        client.destroy();
      }
    },
    // It waits for 5 s after the server has closed the connection.
    kafka: async (port, signal) => {
      const admin = createKafka(read(`kafka://ann:secret@127.0.0.1:${port}/?tls=true`), 'test').admin({ retry: { retries: 0 } });
      try {
        await untilAborted(signal, admin.connect());
      } finally {
        await admin.disconnect();
      }
    },
    schema_registry: (port) => new SchemaRegistry(`https://ann:secret@127.0.0.1:${port}`).byId(1),
    rabbitmq: (port) => openRabbitMQ(read(`amqp://ann:secret@127.0.0.1:${port}/v?tls=true`), 'test'),
  };
  for (const [name, connect] of Object.entries(CLIENTS)) {
    it(`${name} begins with TLS, and hands over no name and no password before`, async () => {
      const seen: Buffer[] = [];
      const controller = new AbortController();
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        // A client of MySQL waits for the server's greeting: 8.0, with TLS.
        if (name === 'mysql') socket.write(GREETING);
        socket.once('data', (chunk) => {
          seen.push(chunk);
          socket.destroy();
          setTimeout(() => controller.abort(), 200);
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      try {
        await assert.rejects(connect((server.address() as AddressInfo).port, controller.signal));
      } finally {
        controller.abort();
        server.close();
      }
      const first = seen[0] ?? Buffer.alloc(0);
      assert.ok(FIRST[name]?.(first) ?? first[0] === 0x16, first.toString('hex').slice(0, 40));
      assert.equal(/ann|secret|YW5u/.test(Buffer.concat(seen).toString('latin1')), false);
    });
  }
});

function read<T extends Connection>(text: string): T {
  return parseConnection('x', text) as T;
}

/** What comes before the handshake of TLS: PostgreSQL's SSLRequest, and MySQL's with the bit of TLS set. */
const FIRST: Readonly<Record<string, (bytes: Buffer) => boolean>> = {
  postgres: (bytes) => bytes.equals(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])),
  mysql: (bytes) => (bytes.readUInt32LE(4) & 0x800 ? (bytes[36] ?? 0x16) === 0x16 : false),
};

/** The greeting of MySQL's protocol, version 10. */
const GREETING = ((): Buffer => {
  const capabilities = 0x0008_aa0f | 0x800 | 0x8000 | 0x8_0000;
  const body = Buffer.concat([
    Buffer.from([10]),
    Buffer.from('8.0.0\0'),
    Buffer.from([1, 0, 0, 0]),
    Buffer.from('abcdefgh\0'),
    Buffer.from([capabilities & 0xff, (capabilities >> 8) & 0xff, 45, 2, 0, (capabilities >> 16) & 0xff, (capabilities >> 24) & 0xff, 21]),
    Buffer.alloc(10),
    Buffer.from('ijklmnopqrst\0'),
    Buffer.from('mysql_native_password\0'),
  ]);
  return Buffer.concat([Buffer.from([body.length & 0xff, body.length >> 8, 0, 0]), body]);
})();
