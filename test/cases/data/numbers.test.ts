import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChannelModel } from 'amqplib';
import { after, before, describe, it } from 'mocha';
import { givenParams } from '../../../cli/given-params.ts';
import { connectionsFrom } from '../../../connections/connections.ts';
import { openRabbitMQ } from '../../../lib/rabbitmq.ts';
import { readTopic } from '../../../lib/kafka/read-topic.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { eventually } from '../../support/eventually.ts';
import { TestKafka } from '../../support/kafka.ts';
import { type TestSensors, unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';
import { compileYaml } from '../../support/compile-yaml.ts';
import { startYamlSensors } from '../../support/yaml-sensors.ts';

/** Ids that a double makes into one. */
const IDS = ['9007199254740991', '9007199254740992', '9007199254740993', '123456789012345678901234567890'];
const DECIMAL = '12345678901234567.0000000000000000000001';

describe('numbers that no double holds', function () {
  this.timeout('3m');
  let sensors: TestSensors;
  let kafka: TestKafka;
  let rabbit: ChannelModel;
  let database: TestDatabase;
  let service: Server;
  /** What the service was sent. */
  const received: string[] = [];
  let answer = '{}';

  before(async function () {
    this.timeout('20m');
    const { environment } = await testStack(['temporal', 'postgres', 'kafka', 'rabbitmq']);
    database = await createDatabase();
    await database.rows('CREATE TABLE got (way text, id numeric, note text)');
    service = createServer((request, response) => {
      let body = '';
      request
        .on('data', (part: Buffer) => (body += part.toString()))
        .on('end', () => {
          if (request.method === 'POST') received.push(body);
          response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
        });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => service.once('listening', resolve));
    const own = {
      ...environment,
      SLUICE_CONN_POSTGRES_DEFAULT: database.url,
      SLUICE_CONN_HTTP_DEFAULT: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
    };
    kafka = await TestKafka.connect(own);
    rabbit = await openRabbitMQ(connectionsFrom(own).get('rabbitmq_default', ['rabbitmq']), 'test');
    process.env.SLUICE_COMMANDS = process.execPath;
    sensors = await startYamlSensors(own);
  });
  after(async () => {
    delete process.env.SLUICE_COMMANDS;
    await sensors.close();
    await rabbit.close();
    await kafka.close();
    await database.drop();
    service.close();
  });

  const rowsOf = async (way: string): Promise<unknown[][]> =>
    (await database.rows<{ id: string; note: string }>(`SELECT id::text, note FROM got WHERE way = $1 ORDER BY got.id, note`, [way])).map(
      ({ id, note }) => [id, note],
    );
  /** A run by hand, with parameters as they are typed. */
  async function run(yaml: string, params: readonly string[] = []): Promise<RunResult> {
    const { client, taskQueue } = sensors.worker;
    const plan = compileYaml(yaml);
    const day = { start: '2026-11-26T00:00:00Z', end: '2026-11-27T00:00:00Z' };
    const { pipelineRunId } = await startManualRun(client, plan, taskQueue, day, unique(), givenParams(plan, params));
    return (await client.workflow.getHandle(pipelineRunId).result()) as RunResult;
  }
  async function listen(yaml: string): Promise<Plan> {
    const plan = compileYaml(yaml);
    await sensors.apply(plan);
    return plan;
  }
  /** What all triggers of this file do with an event. */
  const rest = (way: string): string => `
    when: event.order_id >= 9007199254740991
    dedup_key: event.order_id
    params: {order_id: "{{ event.order_id }}", note: "{{ string(event.order_id) }} {{ event.amount }}"}
params: {order_id: {type: integer, minimum: 9007199254740991}, note: {type: string}}
tasks:
  - {name: skipped, type: sql, when: event.order_id == 9007199254740990 || params.order_id < 9007199254740991, sql: "SELECT 1 / 0"}
  - {name: put, type: sql, depends_on: [], when: event.amount > 12345678901234566.0 || event.amount == 1, sql: "INSERT INTO got VALUES ('${way}', {{ params.order_id }}, {{ params.note }})"}
`;
  const expected = IDS.map((id) => [id, `${id} ${DECIMAL}`]);

  it('Kafka: keep their value in condition, deduplication key, parameter and SQL; what is equal starts one run', async () => {
    const topic = `numbers-${unique()}`;
    await kafka.createTopic(topic);
    const events = [...IDS, ...IDS, '1e400', '9007199254740990'].map((id) => `{"order_id": ${id}, "amount": ${DECIMAL}}`);
    await kafka.send(
      topic,
      events.map((value) => ({ value })),
    );
    const plan = await listen(`
dag_id: kafka_${unique()}
triggers:
  - name: ev
    type: kafka
    topic: ${topic}
    start: earliest
${rest('kafka')}`);
    // Equal ids start one run; 1e400 is a whole number too.
    const ids = await sensors.idsOf(plan, 5);
    for (const id of IDS)
      assert.ok(
        ids.some((each) => each.includes(id)),
        `${id} among ${ids.join(' ')}`,
      );
    await eventually(async () => assert.equal((await rowsOf('kafka')).length, 5), 60_000);
    assert.deepEqual((await rowsOf('kafka')).slice(0, 4), expected);
    assert.deepEqual((await database.rows("SELECT id = 1e400 AS same, note FROM got WHERE way = 'kafka' AND id > 1e39"))[0], {
      same: true,
      note: `1e400 ${DECIMAL}`,
    });
  });

  it('RabbitMQ: the same', async () => {
    const queue = `numbers-${unique()}`;
    const channel = await rabbit.createConfirmChannel();
    await channel.assertQueue(queue, { durable: true });
    for (const id of [...IDS, ...IDS])
      channel.sendToQueue(queue, Buffer.from(`{"order_id": ${id}, "amount": ${DECIMAL}}`), { messageId: unique() });
    await channel.waitForConfirms();
    const plan = await listen(`
dag_id: rabbit_${unique()}
triggers:
  - name: ev
    type: rabbitmq
    queue: ${queue}
${rest('rabbitmq')}`);
    await sensors.runsOf(plan, 4);
    await eventually(async () => assert.deepEqual(await rowsOf('rabbitmq'), expected), 60_000);
    await channel.deleteQueue(queue);
  });

  it('SQL cursors: the same, from columns and from JSON in them', async () => {
    await database.rows('CREATE TABLE orders (n bigserial, order_id numeric, amount numeric, doc jsonb)');
    const plan = await listen(`
dag_id: sql_${unique()}
triggers:
  - name: ev
    type: sql
    query: SELECT n, (doc -> 'id') AS order_id, amount FROM orders
    cursor: n
    poke_interval: 1s
${rest('sql')}`);
    await eventually(async () => assert.equal((await sensors.stateOf(plan)).reports.length, 1), 30_000);
    for (const id of IDS) await database.rows(`INSERT INTO orders (order_id, amount, doc) VALUES (${id}, ${DECIMAL}, '{"id": ${id}}')`);
    await sensors.runsOf(plan, 4);
    await eventually(async () => assert.deepEqual(await rowsOf('sql'), expected), 60_000);
  });

  it('HTTP triggers: a change that no double sees is one', async () => {
    answer = '{"order_id": 9007199254740992, "amount": 1}';
    const plan = await listen(`
dag_id: http_${unique()}
triggers:
  - name: ev
    type: http
    path: /
    poke_interval: 1s
${rest('http')}`);
    await eventually(async () => assert.equal((await sensors.stateOf(plan)).reports.length, 1), 30_000);
    answer = '{"order_id": 9007199254740993, "amount": 1}';
    await eventually(async () => assert.deepEqual(await rowsOf('http'), [['9007199254740993', '9007199254740993 1']]), 60_000);
  });

  it('tasks hand them on: HTTP, programs, records, lists and runs of others', async () => {
    answer = `{"order": {"id": 9007199254740993, "amount": ${DECIMAL}, "all": [9007199254740991, 9007199254740993]}}`;
    const topic = `numbers-${unique()}`;
    await kafka.createTopic(topic);
    const { state, tasks } = await run(
      `
dag_id: hand_${unique()}
schedule_interval: null
params: {endless: {type: number}}
tasks:
  - {name: call, type: http, method: POST, path: /, body: {id: "{{ 9007199254740993 }}", list: ["{{ params.endless }}"]}, extract: {order_id: /order/id}, expect: {json: body.order.id > 9007199254740992}}
  - {name: again, type: http, method: POST, path: /, body: "{{ outputs.call.body.order }}"}
  - {name: program, type: command, argv: [${process.execPath}, -e, "console.log(process.argv[1].slice(1))", "={{ outputs.call.body.order }}"]}
  - {name: publish, type: kafka_publish, topic: ${topic}, value: {id: "{{ outputs.program.json.id }}", amount: "{{ outputs.call.body.order.amount }}"}}
  - {name: put, type: sql, when: outputs.call.extracted.order_id == 9007199254740993 && outputs.program.json.amount > 12345678901234566.0, sql: "INSERT INTO got VALUES ('task', {{ outputs.call.extracted.order_id }}, '{{ outputs.program.json.amount }}')"}
  - {name: same, type: sql_check, checks: [{name: id, sql: SELECT 9007199254740993, equals: "{{ outputs.call.extracted.order_id }}"}]}
  - {name: other, type: sql_check, retries: 0, allow_failure: true, checks: [{name: id, sql: SELECT 9007199254740992, equals: "{{ outputs.call.extracted.order_id }}"}]}
  - {name: each, type: sql, trigger_rule: all_done, expand: {over: outputs.call.body.order.all}, sql: "INSERT INTO got VALUES ('each', {{ item }}, 'x')"}
`,
      ['endless=1e400'],
    );
    assert.equal(state, 'success', JSON.stringify(tasks));
    assert.deepEqual([tasks.same?.state, tasks.other?.state], ['success', 'failed']);
    assert.deepEqual(received.slice(-2), [
      '{"id":9007199254740993,"list":[1e400]}',
      `{"id":9007199254740993,"amount":${DECIMAL},"all":[9007199254740991,9007199254740993]}`,
    ]);
    assert.deepEqual(await rowsOf('task'), [['9007199254740993', DECIMAL]]);
    assert.deepEqual(await rowsOf('each'), [
      ['9007199254740991', 'x'],
      ['9007199254740993', 'x'],
    ]);
    const records: string[] = [];
    await readTopic(
      kafka.kafka,
      { topic, from: 'earliest', signal: new AbortController().signal },
      ({ value }) => records.push(String(value)) > 0,
    );
    assert.deepEqual(records, [`{"id":9007199254740993,"amount":${DECIMAL}}`]);
  });

  it('parameters: by hand, and from one run to another', async () => {
    const dagId = `child_${unique()}`;
    const yaml = `
dag_id: ${dagId}
schedule_interval: null
params: {order_id: {type: integer, exclusiveMinimum: 0}, amount: {type: number, default: 0.5}}
tasks:
  - {name: put, type: sql, when: params.order_id > 9007199254740992 && params.amount > 1.5, sql: "INSERT INTO got VALUES ('hand', {{ params.order_id }}, '{{ params.amount }}')"}
`;
    assert.equal((await run(yaml, ['order_id=9007199254740993', 'amount=1e400'])).state, 'success');
    assert.deepEqual(await rowsOf('hand'), [['9007199254740993', '1e400']]);
    assert.throws(
      () => givenParams(compileYaml(yaml), ['order_id=9007199254740993.5']),
      /'order_id' must be a whole number, not 9007199254740993.5/,
    );
  });
});
