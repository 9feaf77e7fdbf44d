import assert from 'node:assert/strict';
import type { Message } from 'kafkajs';
import { after, before, describe, it } from 'mocha';
import { connectionsFrom } from '../../connections/connections.ts';
import { deadLetterTopic } from '../../sensors/kafka/dead-letters.ts';
import { readDeadLetters } from '../../sensors/kafka/read-dead-letters.ts';
import { groupOf } from '../../sensors/kafka/start-position.ts';
import { readEndedRun, startRerun } from '../../temporal/runs/reruns.ts';
import { listRuns, type RunSummary } from '../../temporal/runs/runs.ts';
import { applySensorChange, pauseSensor, resumeSensor } from '../../temporal/sensors/sensors.ts';
import { sensorId } from '../../workflows/plan/sensor.ts';
import { eventually } from '../support/eventually.ts';
import { TestKafka } from '../support/kafka.ts';
import { randomCases } from '../support/random-cases.ts';
import { popularityOf, shopEvents, type ShopEvent } from '../support/shipped/shop-events.ts';
import { createTestPipeline, planOfFile, type TestPipeline } from '../support/test-pipeline.ts';
import { unique } from '../support/test-sensors.ts';
import { testStack } from '../support/test-stack.ts';

const MINUTE = 60_000;
const TRIGGER = 'views_and_purchases';
const OPERATOR = { by: 'ann', reason: 'a test' };
/** The topics, with their partitions. */
const PARTITIONS = { 'user-activity': 2, purchase: 1 };
/** Beside those that are written out below. */
const RANDOM = randomCases(shopEvents, { few: 1, many: 1, seed: 89_101 });
const [EVENTS = []] = RANDOM.cases;
const EXPECTED = [
  { product_id: '7', views: '0', purchases: '0' },
  ...popularityOf(EVENTS),
  { product_id: '89101', views: '5', purchases: '2' },
  { product_id: '89102', views: '1', purchases: '0' },
];

describe('product_popularity, as in pipelines/', function () {
  this.timeout('3m');
  const plan = { ...planOfFile('product_popularity.yaml'), dagId: `product_popularity_${unique()}` };
  const id = sensorId(plan.dagId, TRIGGER);
  let pipeline: TestPipeline;
  let kafka: TestKafka;
  let now: number;

  before(async function () {
    this.timeout('20m');
    pipeline = await createTestPipeline(100, (await testStack(['kafka'])).environment);
    kafka = await TestKafka.connect(pipeline.environment);
    await removeTopics();
    for (const [topic, partitions] of Object.entries(PARTITIONS)) await kafka.createTopic(topic, partitions);
    await pipeline.startWorker();
    await applySensorChange(pipeline.client, { id, action: 'start', plan, trigger: TRIGGER }, pipeline.taskQueue);
    now = Date.now();
  });
  after(async () => {
    await removeTopics();
    await kafka.close();
    await pipeline.close();
  });

  async function removeTopics(): Promise<void> {
    const own = [...Object.keys(PARTITIONS), deadLetterTopic(plan.dagId, TRIGGER)];
    const there = (await kafka.admin.listTopics()).filter((topic) => own.includes(topic));
    if (there.length > 0) await kafka.admin.deleteTopics({ topics: there });
    await eventually(async () => assert.ok(!(await kafka.admin.listTopics()).some((topic) => own.includes(topic))));
  }

  const runs = (): Promise<RunSummary[]> => listRuns(pipeline.client, 1_000, plan.dagId);

  async function popularity(): Promise<unknown[]> {
    return pipeline.source.rows(`SELECT product_id, views, purchases FROM product_popularity ORDER BY product_id`);
  }

  const minutesAgo = (minutes: number, event: object): Message => ({
    value: JSON.stringify(event),
    timestamp: String(Math.round(now - minutes * MINUTE)),
  });
  const view = (product_id: unknown, minutes: number, more: object = {}): Message =>
    minutesAgo(minutes, {
      event_type: 'product_view',
      user_id: '12345',
      product_id,
      session_id: 'abcde12345',
      device_type: 'mobile',
      ...more,
    });

  it(`has the views and purchases of the last hour, exactly, and zeros for what has left it: ${RANDOM.title}`, async () => {
    const { client } = pipeline;
    // What is there when a sensor begins is read before a window ends: the order of two topics does not matter.
    await eventually(async () => {
      for (const topic of Object.keys(PARTITIONS)) {
        const offsets = await kafka.committed(groupOf(plan.dagId, TRIGGER), topic);
        assert.ok(offsets.length > 0 && offsets.every((offset) => offset !== '-1'));
      }
    }, 60_000);
    await pauseSensor(client, id, OPERATOR);
    await kafka.send('user-activity', [
      view('7', 65),
      view('89101', 65),
      ...[50, 40.5, 3, 3, 2.9].map((minutes) => view('89101', minutes)),
      view('89102', 30, { category_id: 5 }),
      view('not a product', 20),
      view('8\u0000', 20),
      minutesAgo(20, { event_type: 'search', user_id: '12345', query: 'shoes' }),
    ]);
    await kafka.send(
      'purchase',
      [65, 45, 4].map((minutes) => minutesAgo(minutes, { user_id: '12345', product_id: 89_101, price: 9.5 })),
    );
    const of = (kinds: readonly string[]): ShopEvent[] => EVENTS.filter(({ kind }) => kinds.includes(kind));
    await kafka.send(
      'user-activity',
      of(['view', 'search']).map(({ kind, product, minutesAgo: age }) =>
        kind === 'view' ? view(product, age) : minutesAgo(age, { event_type: 'search', user_id: '1', query: String(product) }),
      ),
    );
    await kafka.send(
      'purchase',
      of(['purchase']).map(({ product, minutesAgo: age }) => minutesAgo(age, { user_id: '1', product_id: product })),
    );
    await resumeSensor(client, id, OPERATOR);
    await eventually(async () => assert.deepEqual(await popularity(), EXPECTED), 90_000);
    const [late] = await pipeline.source.rows<{ count: string }>(
      `SELECT count(*) FROM product_popularity WHERE window_end - window_start <> interval '1 hour' OR extract(second FROM window_end) <> 0`,
    );
    assert.equal(late?.count, '0');
  });

  it('needs one run for each minute, for any number of events and products', async () => {
    const ends = (await runs()).map(({ pipelineRunId }) => /\/kafka\/part-1@(.*)$/.exec(pipelineRunId)?.[1] ?? '').sort();
    const first = Math.floor((now - 65 * MINUTE) / MINUTE) + 1;
    assert.ok(ends.length > 60);
    assert.deepEqual(
      ends,
      ends.map((_, index) => new Date((first + index) * MINUTE).toISOString()),
    );
    const { event } = await readEndedRun(pipeline.client, `${plan.dagId}/kafka/part-1@${ends[0] ?? ''}`);
    assert.deepEqual((event?.value as { keys: unknown }).keys, [
      { key: '7', views: 1, purchases: 0 },
      { key: '89101', views: 1, purchases: 1 },
    ]);
  });

  it('dead-letters what names no product', async () => {
    const connection = connectionsFrom(pipeline.environment).get('kafka_default', ['kafka']);
    const letters = await eventually(async () => {
      const found = await readDeadLetters(connection, plan.dagId, TRIGGER);
      assert.equal(found.length, 2);
      return found;
    });
    for (const { reason } of letters) assert.match(reason, /int\(event\.product_id\).*cannot convert to int/);
  });

  it('a window that is written again leaves the newer ones as they are', async () => {
    const { client, taskQueue, source } = pipeline;
    await applySensorChange(client, { id, action: 'stop' }, taskQueue);
    await client.workflow
      .getHandle(id)
      .result()
      .catch(() => undefined);
    await eventually(async () => assert.ok((await runs()).every(({ state }) => state === 'success')));
    // As many runs take longer than a broker waits for a sign of life: nothing is counted twice on that account.
    assert.deepEqual(await popularity(), EXPECTED);
    const all = 'SELECT * FROM product_popularity ORDER BY product_id';
    const before = await source.rows(all);
    const [newest, ...others] = (await runs()).map(({ pipelineRunId }) => pipelineRunId).sort((a, b) => (a > b ? -1 : 1));
    for (const [index, pipelineRunId] of [others.at(-1), newest].entries()) {
      const run = await readEndedRun(client, pipelineRunId ?? '');
      const order = { run, plan, params: {}, from: 'publish_popularity' };
      const rerun = await startRerun(client, taskQueue, order, now + index * 1_000);
      const { tasks } = (await client.workflow.getHandle(rerun.pipelineRunId).result()) as { tasks: Record<string, { output?: unknown }> };
      // The first window: nothing is older than it. The newest: its own rows once more, those of the products that are in it.
      const inNewest = EXPECTED.filter(({ views, purchases }) => views !== '0' || purchases !== '0').length;
      assert.deepEqual(tasks.publish_popularity?.output, { rows: index === 0 ? 0 : inNewest, first: {} });
      assert.deepEqual(await source.rows(all), before);
    }
  });
});
