import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { KafkaConnection } from '../../../lib/kafka/connection.ts';
import { connectionsFrom } from '../../../connections/connections.ts';
import { readDeadLetters } from '../../../sensors/kafka/read-dead-letters.ts';
import { pauseSensor, resumeSensor } from '../../../temporal/sensors/sensors.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { eventually } from '../../support/eventually.ts';
import { TestKafka } from '../../support/kafka.ts';
import { type TestSensors, unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';
import { compileYaml } from '../../support/compile-yaml.ts';
import { startYamlSensors } from '../../support/yaml-sensors.ts';

const OPERATOR = { by: 'ann' };

describe('windows over numbers', function () {
  this.timeout('3m');
  let sensors: TestSensors;
  let kafka: TestKafka;
  let connection: KafkaConnection;

  before(async function () {
    this.timeout('20m');
    const { environment } = await testStack(['temporal', 'kafka']);
    kafka = await TestKafka.connect(environment);
    connection = connectionsFrom(environment).get('kafka_default', ['kafka']);
    sensors = await startYamlSensors(environment);
  });
  after(async () => {
    await sensors.close();
    await kafka.close();
  });

  /** Applies a pipeline with windows of 10 s over these records, all of them in the past and in one window. */
  async function listen(having: string, records: readonly string[], more = ''): Promise<Plan> {
    const topic = `windows-${unique()}`;
    await kafka.createTopic(topic);
    const at = String(Math.floor(Date.now() / 10_000) * 10_000 - 25_000);
    await kafka.send(
      topic,
      records.map((value) => ({ value, timestamp: at })),
    );
    const plan = compileYaml(`
dag_id: window_${unique()}
triggers:
  - name: changes
    type: kafka
    topic: ${topic}
    start: earliest${more}
    mode: {window: {size: 10s, key: event.k, aggregates: {spent: sum(event.price), views: count(), refunds: sum(event.refunds)}, having: "${having}"}}
tasks: [{name: a, type: empty}]
`);
    await sensors.apply(plan);
    return plan;
  }
  const keysOf = async (plan: Plan, count: number): Promise<string[]> =>
    (await sensors.idsOf(plan, count)).map((id) => id.split('@')[0] ?? '');
  const record = (k: string, price: number | string, refunds: number): string => `{"k": "${k}", "price": ${price}, "refunds": ${refunds}}`;

  it('divide no whole numbers, and add up without rounding', async () => {
    const prices = { a: [2.5, 2.5, 2.5, 2.5], b: [2, 3], c: [2, 3, 2], d: [0.1, 0.2], e: ['9007199254740992', '1', '2'] };
    const records = Object.entries(prices).flatMap(([key, list]) => list.map((price) => record(key, price, 0)));
    const having = 'spent / views >= 2.5 && spent < 100 || spent == 0.3 || spent == 9007199254740995';
    assert.deepEqual(await keysOf(await listen(having, records), 4), ['a', 'b', 'd', 'e']);
  });

  it('a condition that fails is an invalid event: dead-lettered once, and the sensor continues', async () => {
    const plan = await listen('spent / refunds > 1', [record('good', 5, 2), record('bad', 5, 0)]);
    assert.deepEqual(await keysOf(plan, 1), ['good']);
    const lettersOf = async (): Promise<[string, unknown][]> =>
      (await readDeadLetters(connection, plan.dagId, 'changes')).map(({ record: { value }, reason }) => {
        const { key, spent, refunds } = JSON.parse(String(value)) as Record<string, unknown>;
        return [reason, { key, spent, refunds }];
      });
    const expected = [['`spent / refunds > 1`: division by zero', { key: 'bad', spent: 5, refunds: 0 }]];
    await eventually(async () => assert.deepEqual(await lettersOf(), expected), 30_000);
    // Begun anew, it looks at the window again.
    await pauseSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);
    await resumeSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);
    await kafka.send(String(plan.triggers?.[0]?.source.topic), [{ value: record('later', 9, 1), timestamp: String(Date.now()) }]);
    assert.deepEqual(await keysOf(plan, 2), ['good', 'later']);
    assert.deepEqual(await lettersOf(), expected);
    const [{ counts, problem } = { counts: undefined, problem: undefined }] = (await sensors.stateOf(plan)).reports;
    assert.equal(problem, undefined);
    assert.equal(counts?.invalid, 1);
  });

  it('on_invalid: skip passes it over, stop stops the sensor with the reason', async () => {
    const skipping = await listen('spent / refunds > 1', [record('good', 5, 2), record('bad', 5, 0)], '\n    on_invalid: skip');
    assert.deepEqual(await keysOf(skipping, 1), ['good']);
    await eventually(async () => assert.equal((await sensors.stateOf(skipping)).reports[0]?.counts.invalid, 1), 30_000);
    assert.deepEqual(await readDeadLetters(connection, skipping.dagId, 'changes'), []);
    const stopping = await listen('spent / refunds > 1', [record('bad', 5, 0)], '\n    on_invalid: stop');
    await eventually(async () => {
      const { state, why } = await sensors.stateOf(stopping);
      assert.deepEqual([state, why?.includes('division by zero')], ['stopped', true]);
    }, 60_000);
  });
});
