import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'mocha';
import { causeOf } from '../../lib/kafka-connect/connector.ts';
import { KafkaConnect } from '../../lib/kafka-connect/kafka-connect.ts';

type Answer = readonly [status: number, body: unknown];

/** Answers that a healthy group of workers does not give. The requests that a client sends: test/dev/kafka-connect.test.ts. */
describe('the client of Kafka Connect', () => {
  for (const [what, answer, name, message] of [
    ['wrong credentials', [401, 'no'], 'ConnectRefused', /with 401\. Check user and password of connection 'connect_default'/],
    [
      'another service',
      [404, { error: 'no such page' }],
      'ConnectRefused',
      /with 404, and not as Kafka Connect does.*address of Kafka Connect's REST API/,
    ],
    ['a status of another service', [200, { ok: true }], 'ConnectRefused', /not as Kafka Connect does/],
    ['a state that does not exist', [200, statusOf('FLYING')], 'ConnectRefused', /not as Kafka Connect does/],
    [
      'a worker that cannot reach Kafka',
      [500, { error_code: 500, message: 'Request timed out' }],
      'ConnectUnavailable',
      /with 500: Request timed out\./,
    ],
    [
      'an invalid configuration',
      [400, { error_code: 400, message: 'Invalid: 1 error.' }],
      'ConnectRefused',
      /with 400: Invalid: 1 error\./,
    ],
  ] as const satisfies readonly (readonly [string, Answer, string, RegExp])[]) {
    it(`reports ${what}, with what to do`, () =>
      withAnswers([answer], async (connect) => {
        await assert.rejects(connect.status('products'), { name, message });
      }));
  }

  it('says of a connector that does not exist, or has no status yet, that there is none', () =>
    withAnswers([[404, { error_code: 404, message: 'No status found for connector products' }]], async (connect) => {
      assert.equal(await connect.status('products'), undefined);
    }));

  it('waits for the end of a rebalance, and not of another conflict', async () => {
    const rebalance: Answer = [
      409,
      { error_code: 409, message: 'Cannot complete request because of a conflicting operation (e.g. worker rebalance)' },
    ];
    await withAnswers([rebalance, rebalance, [201, { name: 'products', config: {} }]], async (connect, seen) => {
      assert.equal(await connect.putConfig('a/b', { 'tasks.max': '1' }), true);
      assert.deepEqual(seen, Array(3).fill('PUT /connectors/a%2Fb/config'));
    });
    await withAnswers([[409, { error_code: 409, message: 'Connector products already exists' }]], async (connect) => {
      await assert.rejects(connect.putConfig('products', {}), { name: 'ConnectRefused', message: /already exists/ });
    });
  });

  it('reports that nothing answers, with the address and the connection', async () => {
    const connect = new KafkaConnect({ url: 'http://127.0.0.1:1' }, new AbortController().signal, 'connect_default');
    await assert.rejects(connect.statuses(), {
      name: 'ConnectUnavailable',
      message: /at http:\/\/127\.0\.0\.1:1 does not answer: .*ECONNREFUSED.*connection 'connect_default'/,
    });
  });

  it('finds the cause in a stack trace', () => {
    const trace =
      'org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer.\n\tat io.debezium.A.b(A.java:1)\n' +
      'Caused by: io.debezium.DebeziumException: Access denied\n\t... 5 more\nCaused by: java.sql.SQLException: Access denied for user x\n\t... 9 more';
    assert.equal(causeOf(trace), 'SQLException: Access denied for user x');
    assert.equal(causeOf('org.a.ConnectException: no cause\n\tat a.b(C.java:1)'), 'ConnectException: no cause');
    assert.equal(causeOf(''), '');
  });
});

function statusOf(state: string): unknown {
  return { name: 'products', type: 'source', connector: { state, worker_id: 'w:1' }, tasks: [] };
}

/** Calls `work` with a client of a service that gives these answers in turn. */
async function withAnswers(
  answers: readonly Answer[],
  work: (connect: KafkaConnect, seen: readonly string[]) => Promise<void>,
): Promise<void> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const [status, body] = answers[seen.length - 1] ?? [500, 'no more answers'];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    await work(new KafkaConnect({ url: `http://127.0.0.1:${port}` }, new AbortController().signal, 'connect_default'), seen);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
