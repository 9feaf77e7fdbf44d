import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'mocha';
import { connectionsFrom } from '../../../connections/connections.ts';
import { openRabbitMQ } from '../../../lib/rabbitmq.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { createBucket, type TestBucket } from '../../support/buckets.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { eventually } from '../../support/eventually.ts';
import { TestKafka } from '../../support/kafka.ts';
import { type TestSensors, unique } from '../../support/test-sensors.ts';
import { killPart, testStack } from '../../support/test-stack.ts';
import { compileYaml } from '../../support/compile-yaml.ts';
import { startYamlSensors } from '../../support/yaml-sensors.ts';

/** How long sources are away, in milliseconds: longer than a sensor takes to notice. */
const AWAY = 8_000;

describe('sensors of sources that are away for a moment, and quiet afterwards', function () {
  this.timeout('3m');
  const name = unique();
  let sensors: TestSensors;
  let kafka: TestKafka;
  let bucket: TestBucket;
  let database: TestDatabase;
  let service: Server;
  let queues: Awaited<ReturnType<typeof cuttable>>;
  let isAway = false;
  const plans = new Map<string, Plan>();

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal', 'kafka', 'rabbitmq', 's3', 'postgres']);
    kafka = await TestKafka.connect(environment);
    await kafka.createTopic(`quiet-${name}`);
    const rabbit = await openRabbitMQ(connectionsFrom(environment).get('rabbitmq_default', ['rabbitmq']), 'test');
    await (await rabbit.createChannel()).assertQueue(`quiet_${name}`);
    await rabbit.close();
    const { host, port } = connectionsFrom(environment).get('rabbitmq_default', ['rabbitmq']);
    queues = await cuttable(host, port);
    bucket = await createBucket();
    database = await createDatabase();
    await database.client.query('CREATE TABLE orders (id bigint PRIMARY KEY)');
    service = createServer((_request, response) => response.writeHead(isAway ? 503 : 200).end('{}')).listen(0, '127.0.0.1');
    await new Promise((resolve) => service.once('listening', resolve));
    sensors = await startYamlSensors({
      ...environment,
      SLUICE_CONN_OWN_DATABASE: database.url,
      SLUICE_CONN_RABBITMQ_DEFAULT: (environment.SLUICE_CONN_RABBITMQ_DEFAULT ?? '').replace(`:${port}`, `:${queues.port}`),
      SLUICE_CONN_OWN_SERVICE: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
    });
    const sources: Record<string, string> = {
      kafka: `topic: quiet-${name}`,
      rabbitmq: `queue: quiet_${name}`,
      s3: `bucket: ${bucket.name}, prefix: new/, poke_interval: 1s`,
      sql: 'conn_id: own_database, query: SELECT id FROM orders, cursor: id, poke_interval: 1s',
      http: 'conn_id: own_service, path: /x, poke_interval: 1s',
      dataset: 'any: ["s3://quiet/data"]',
      pipeline: 'dag_id: quiet_other',
    };
    for (const [type, source] of Object.entries(sources)) {
      const plan = compileYaml(
        `dag_id: quiet_${type}_${name}\ntriggers: [{name: changes, type: ${type}, ${source}}]\ntasks: [{name: a, type: empty}]\n`,
      );
      plans.set(type, plan);
      await sensors.apply(plan);
    }
  });
  after(async () => {
    await sensors.close();
    service.close();
    queues.close();
    await kafka.close();
    await database.drop();
    await bucket.drop();
  });

  const problemsOf = async (types: Iterable<string>): Promise<Record<string, string | undefined>> => {
    const found: Record<string, string | undefined> = {};
    for (const type of types) {
      const { state, reports } = await sensors.stateOf(plans.get(type) as Plan);
      assert.deepEqual([type, state, reports.length], [type, 'running', 1]);
      found[type] = reports[0]?.problem;
    }
    return found;
  };
  const haveNone = (withinMs: number): Promise<void> =>
    eventually(async () => {
      const problems = await problemsOf(plans.keys());
      assert.deepEqual(
        Object.values(problems).filter((problem) => problem !== undefined),
        [],
        JSON.stringify(problems),
      );
    }, withinMs);

  it('say that they are held up, and that it is over, although nothing comes', async () => {
    await haveNone(60_000);
    isAway = true;
    queues.cut(AWAY);
    const back = Promise.all((['kafka', 's3', 'postgres'] as const).map((part) => killPart(part, AWAY)));
    const sources = ['kafka', 'rabbitmq', 's3', 'sql', 'http'];
    const held = new Set<string>();
    await eventually(async () => {
      for (const [type, problem] of Object.entries(await problemsOf(sources))) if (problem !== undefined) held.add(type);
      assert.deepEqual([...held].sort(), [...sources].sort());
    }, 30_000);
    await back;
    isAway = false;
    await haveNone(60_000);
  });

  it('say that it is over although Temporal was away when they said it first', async () => {
    isAway = true;
    await eventually(async () => assert.ok((await problemsOf(['http'])).http), 15_000);
    const back = killPart('temporal', AWAY);
    isAway = false;
    await back;
    await haveNone(60_000);
  });
});

/** Stands in front of a server, and can take it away: RabbitMQ's process outlives a kill of what started it. */
async function cuttable(host: string, port: number): Promise<{ readonly port: number; cut(ms: number): void; close(): void }> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createTcpServer((inner) => {
    if (isCut) return void inner.destroy();
    const outer = connect(port, host);
    for (const socket of [inner, outer]) sockets.add(socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket)));
    inner.pipe(outer).pipe(inner);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const destroyAll = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port: (server.address() as AddressInfo).port,
    cut(ms) {
      isCut = true;
      destroyAll();
      setTimeout(() => (isCut = false), ms);
    },
    close() {
      destroyAll();
      server.close();
    },
  };
}
