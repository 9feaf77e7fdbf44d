import assert from 'node:assert/strict';
import type { Message } from 'kafkajs';
import { after, before, describe, it } from 'mocha';
import { deadLetterTopic } from '../../sensors/kafka/dead-letters.ts';
import { groupOf } from '../../sensors/kafka/start-position.ts';
import { listRuns, type RunSummary } from '../../temporal/runs/runs.ts';
import { listSensors, pauseSensor, resetSensor, resumeSensor } from '../../temporal/sensors/sensors.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { TriggerPlan } from '../../workflows/plan/trigger.ts';
import type { SensorState } from '../../workflows/plan/sensor.ts';
import { eventually } from '../support/eventually.ts';
import { TestKafka } from '../support/kafka.ts';
import { task } from '../support/plans.ts';
import { TestSensors, unique } from '../support/test-sensors.ts';
import type { TestWorker } from '../support/temporal-worker.ts';
import { testStack } from '../support/test-stack.ts';

const OPERATOR = { by: 'ann', reason: 'a test' };

describe('the Kafka sensor', function () {
  this.timeout('2m');
  let sensors: TestSensors;
  let worker: TestWorker;
  let kafka: TestKafka;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal', 'kafka']);
    sensors = await TestSensors.start(environment);
    ({ worker } = sensors);
    kafka = await TestKafka.connect(environment);
  });
  after(async () => {
    await kafka.close();
    await sensors.close();
  });

  /** A pipeline of one trigger on a topic of its own. */
  async function pipeline(
    trigger: Partial<TriggerPlan> = {},
    plan: Partial<Plan> = {},
    partitions = 1,
    config: Readonly<Record<string, string>> = {},
  ): Promise<{ plan: Plan; topic: string }> {
    const topic = `events-${unique()}`;
    await kafka.createTopic(topic, partitions, config);
    return { topic, plan: triggered(topic, trigger, plan) };
  }

  function triggered(topic: string, trigger: Partial<TriggerPlan>, plan: Partial<Plan>): Plan {
    return sensors.plan({ type: 'kafka', when: 'event.score > 0.7', ...trigger, source: { topic, ...trigger.source } }, plan);
  }

  const idOf = (plan: Plan): string => sensors.idOf(plan);
  const stateOf = (plan: Plan): Promise<SensorState> => sensors.stateOf(plan);
  const apply = (plan: Plan, action?: 'start' | 'update'): Promise<void> => sensors.apply(plan, action);
  const stop = (plan: Plan): Promise<void> => sensors.stop(plan);
  const runsOf = (plan: Plan, count: number): Promise<RunSummary[]> => sensors.runsOf(plan, count);

  /** Starts the sensor, and waits until it has pinned where it begins. */
  async function start({ plan, topic }: { plan: Plan; topic: string }): Promise<void> {
    await apply(plan);
    await eventually(async () => {
      const offsets = await kafka.committed(groupOf(plan.dagId, 'changes'), topic);
      assert.ok(offsets.length > 0 && offsets.every((offset) => offset !== '-1'));
    });
  }

  it('starts one run for each record that matches the condition, with the content of the record', async () => {
    const it = await pipeline(
      {
        runParams: { segment: '{{ event.segment }}', at: '{{ event_meta.offset }}' },
        templates: [
          { path: ['segment'], kind: 'value' },
          { path: ['at'], kind: 'value' },
        ],
      },
      {
        params: { segment: { schema: { type: 'string' } }, at: { schema: { type: 'integer' } } },
        tasks: [task('a', 'succeed', [], { when: 'event.segment == "new" && event_meta.partition == 0' })],
        shapes: {},
      },
    );
    await start(it);
    await kafka.sendJson(it.topic, [
      { score: 0.9, segment: 'new' },
      { score: 0.1, segment: 'new' },
      { score: 0.8, segment: 'old' },
    ]);
    const runs = await runsOf(it.plan, 2);
    assert.deepEqual(
      runs.map(({ pipelineRunId }) => pipelineRunId),
      [`${it.plan.dagId}/kafka/${it.topic}-0-0`, `${it.plan.dagId}/kafka/${it.topic}-0-2`],
    );
    const [first, second] = runs.map(({ pipelineRunId }) => pipelineRunId) as [string, string];
    const { params, event } = await sensors.inputOf(first);
    assert.deepEqual(params, { segment: 'new', at: 0 });
    assert.deepEqual(event?.value, { score: 0.9, segment: 'new' });
    assert.equal((await sensors.resultOf(first)).tasks.a?.state, 'success');
    assert.equal((await sensors.resultOf(second)).tasks.a?.state, 'skipped');
    await eventually(async () => assert.deepEqual(await kafka.committed(groupOf(it.plan.dagId, 'changes'), it.topic), ['3']));
    await eventually(async () => {
      const { reports } = await stateOf(it.plan);
      const { events, matches, started, invalid } = reports[0]?.counts ?? {};
      assert.deepEqual([events, matches, started, invalid], [3, 2, 2, 0]);
    }, 30_000);
    await stop(it.plan);
  });

  it('begins with what comes after it was applied, even when its worker was late', async () => {
    const it = await pipeline();
    await kafka.sendJson(it.topic, [{ score: 1 }]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await apply(it.plan);
    await kafka.sendJson(it.topic, [{ score: 1 }]);
    const [run] = await runsOf(it.plan, 1);
    assert.match(run?.pipelineRunId ?? '', /-0-1$/);
    await stop(it.plan);
  });

  it('dead-letters what cannot be read, with the reason and the origin, and continues', async () => {
    const it = await pipeline();
    await start(it);
    await kafka.send(it.topic, [
      { value: '{"score": 1' },
      { value: null },
      { value: '[1]' },
      { key: 'k', value: '{"other": 1}', headers: { source: 'test' } },
      { value: '{"score": 0.9}' },
    ]);
    await runsOf(it.plan, 1);
    const letters = await readAll(deadLetterTopic(it.plan.dagId, 'changes'), 4);
    assert.deepEqual(
      letters.map(({ headers }) => [headers['sluice-topic'], headers['sluice-offset'], headers.source]),
      [0, 1, 2, 3].map((offset) => [it.topic, String(offset), offset === 3 ? 'test' : undefined]),
    );
    for (const [index, reason] of [/not JSON/, /no value/, /not an object/, /No such key: score/i].entries()) {
      assert.match(letters[index]?.headers['sluice-reason'] ?? '', reason);
    }
    assert.equal(letters[3]?.value, '{"other": 1}');
    await eventually(async () => assert.deepEqual(await kafka.committed(groupOf(it.plan.dagId, 'changes'), it.topic), ['5']));
    await stop(it.plan);
  });

  it('on_invalid: skip skips it; stop stops, shows why, and continues when it is resumed', async () => {
    const skipping = await pipeline({ onInvalid: 'skip' });
    await start(skipping);
    await kafka.send(skipping.topic, [{ value: 'x' }, { value: '{"score": 1}' }]);
    await runsOf(skipping.plan, 1);
    await stop(skipping.plan);

    const stopping = await pipeline({ onInvalid: 'stop' });
    await start(stopping);
    await kafka.send(stopping.topic, [{ value: '{"score": 1}' }, { value: 'x' }]);
    await eventually(async () => {
      const { state, why } = await stateOf(stopping.plan);
      assert.equal(state, 'stopped');
      assert.match(why ?? '', new RegExp(`${stopping.topic}-0-1 cannot be read: It is not JSON`));
    });
    await apply({ ...stopping.plan, hash: unique(), triggers: [{ ...(stopping.plan.triggers?.[0] as TriggerPlan), onInvalid: 'skip' }] });
    await runsOf(stopping.plan, 1);
    await eventually(async () => assert.equal((await stateOf(stopping.plan)).state, 'running'));
    await stop(stopping.plan);
  });

  it('pauses, continues where it was, and restarts elsewhere; a run that is there is not started twice', async () => {
    const it = await pipeline();
    await start(it);
    await kafka.sendJson(it.topic, [{ score: 1 }]);
    await runsOf(it.plan, 1);
    assert.equal(await pauseSensor(worker.client, idOf(it.plan), OPERATOR), 'paused by ann');
    assert.deepEqual((await stateOf(it.plan)).why, 'by ann: a test');
    await kafka.sendJson(it.topic, [{ score: 1 }]);
    await resumeSensor(worker.client, idOf(it.plan), OPERATOR);
    await runsOf(it.plan, 2);
    await resetSensor(worker.client, idOf(it.plan), { ...OPERATOR, to: 'earliest' });
    await kafka.sendJson(it.topic, [{ score: 1 }]);
    await runsOf(it.plan, 3);
    await eventually(async () => assert.equal((await stateOf(it.plan)).reports[0]?.counts.known, 2), 30_000);
    await assert.rejects(resetSensor(worker.client, idOf(it.plan), { ...OPERATOR, to: 'yesterday' }), /'yesterday' is not a position/);
    await stop(it.plan);
  });

  it('an edit takes the place of what ran, and loses nothing of what came meanwhile', async () => {
    const it = await pipeline();
    await start(it);
    for (let edit = 0; edit < 5; edit++) {
      await kafka.sendJson(it.topic, [{ score: 1 }, { score: 0.6 }]);
      await apply({ ...it.plan, hash: unique() });
    }
    await runsOf(it.plan, 5);
    await apply({ ...it.plan, hash: unique(), triggers: [{ ...(it.plan.triggers?.[0] as TriggerPlan), when: 'event.score > 0.5' }] });
    await eventually(async () => assert.equal((await stateOf(it.plan)).state, 'running'));
    await eventually(async () => {
      await kafka.sendJson(it.topic, [{ score: 0.6 }]);
      assert.ok((await listRuns(worker.client, 100, it.plan.dagId)).length > 5);
    }, 30_000);
    await stop(it.plan);
  });

  it('dedup_key: events of one value start one run', async () => {
    const it = await pipeline({ dedupKey: 'event.user' });
    await start(it);
    await kafka.sendJson(
      it.topic,
      ['ann', 'bob', 'ann'].map((user) => ({ score: 1, user })),
    );
    const runs = await runsOf(it.plan, 2);
    assert.deepEqual(
      runs.map(({ pipelineRunId }) => pipelineRunId.split('/').at(-1)),
      ['ann', 'bob'],
    );
    await stop(it.plan);
  });

  it('cooldown: after a run none for that time, in the time of the events', async () => {
    const it = await pipeline({ mode: { kind: 'cooldown', forMs: 60_000 } });
    await start(it);
    const begin = Date.now();
    await kafka.send(
      it.topic,
      [0, 10, 59, 60, 100, 121].map((second) => ({ value: '{"score": 1}', timestamp: String(begin + second * 1000) })),
    );
    const runs = await runsOf(it.plan, 3);
    assert.deepEqual(
      runs.map(({ pipelineRunId }) => pipelineRunId.split('-').at(-1)),
      ['0', '3', '5'],
    );
    await stop(it.plan);
  });

  it('batch: a run for several records, when there are enough or after a while; a crash in between starts none twice', async () => {
    const it = await pipeline({ mode: { kind: 'batch', maxRecords: 3, withinMs: 2_000 } });
    await start(it);
    await kafka.sendJson(
      it.topic,
      [1, 0.1, 1, 1, 1].map((score, n) => ({ score, n })),
    );
    const runs = await runsOf(it.plan, 2);
    assert.deepEqual(await Promise.all(runs.map(async ({ pipelineRunId }) => (await sensors.inputOf(pipelineRunId)).event?.value)), [
      { records: [0, 2, 3].map((n) => ({ score: 1, n })), count: 3 },
      { records: [{ score: 1, n: 4 }], count: 1 },
    ]);
    await eventually(async () => assert.deepEqual(await kafka.committed(groupOf(it.plan.dagId, 'changes'), it.topic), ['5']));
    // The same records again, more of them at once: what their runs had is known, and the rest is not lost.
    await pauseSensor(worker.client, idOf(it.plan), OPERATOR);
    await kafka.sendJson(it.topic, [{ score: 1, n: 5 }]);
    await apply({
      ...it.plan,
      hash: unique(),
      triggers: [{ ...(it.plan.triggers?.[0] as TriggerPlan), mode: { kind: 'batch', maxRecords: 9, withinMs: 1_000 } }],
    });
    await resetSensor(worker.client, idOf(it.plan), { ...OPERATOR, to: 'earliest' });
    await resumeSensor(worker.client, idOf(it.plan), OPERATOR);
    const after = await runsOf(it.plan, 3);
    assert.deepEqual((await sensors.inputOf(after[2]?.pipelineRunId ?? '')).event?.value, { records: [{ score: 1, n: 5 }], count: 1 });
    await stop(it.plan);
  });

  it('window: a run for each key when its count passes the mark, in the time of the records; also after the worker has gone', async () => {
    const it = await pipeline(
      {
        when: 'event.kind == "view"',
        mode: {
          kind: 'window',
          sizeMs: 6_000,
          slideMs: 2_000,
          latenessMs: 0,
          key: 'event.product',
          aggregates: { views: { kind: 'count' }, spent: { kind: 'sum', of: 'event.price' }, dearest: { kind: 'max', of: 'event.price' } },
          having: 'views >= 3',
        },
        source: { start: 'earliest' },
      },
      {},
      2,
    );
    const begin = Math.floor(Date.now() / 60_000) * 60_000 - 600_000;
    const view = (product: string, second: number, price = 1, kind = 'view'): Message => ({
      key: product,
      value: JSON.stringify({ kind, product, price }),
      timestamp: String(begin + second * 100),
      partition: product === 'a' ? 0 : 1,
    });
    await kafka.send(it.topic, [
      ...[5, 15, 25, 45].map((second, index) => view('a', second, index + 0.5)),
      view('b', 5),
      view('b', 50),
      view('b', 55, 1, 'like'),
      view('b', 65),
      view('b', 200),
    ]);
    await apply(it.plan);
    const at = (second: number): string => new Date(begin + second * 100).toISOString();
    assert.deepEqual(await sensors.idsOf(it.plan, 1), [`a@${at(40)}`]);
    const [run] = await runsOf(it.plan, 1);
    assert.deepEqual((await sensors.inputOf(run?.pipelineRunId ?? '')).event?.value, {
      key: 'a',
      window_start: at(-20),
      window_end: at(40),
      views: 3,
      spent: 4.5,
      dearest: 2.5,
    });
    // Begun anew it reads again what its windows need, and starts none twice.
    await pauseSensor(worker.client, idOf(it.plan), OPERATOR);
    const now = Date.now();
    await kafka.send(
      it.topic,
      Array.from({ length: 3 }, () => ({ ...view('b', 0), timestamp: String(now) })),
    );
    await resumeSensor(worker.client, idOf(it.plan), OPERATOR);
    assert.deepEqual(await sensors.idsOf(it.plan, 2), [
      `a@${at(40)}`,
      `b@${new Date(Math.floor(now / 2_000) * 2_000 + 2_000).toISOString()}`,
    ]);
    await stop(it.plan);
  });

  it('window: a rebalance repeats what was counted, and nothing is counted or dead-lettered twice', async () => {
    const it = await pipeline({
      when: 'event.kind == "view"',
      mode: { kind: 'window', sizeMs: 2_000, slideMs: 2_000, latenessMs: 10_000, aggregates: { views: { kind: 'count' } }, keysPerRun: 10 },
    });
    await start(it);
    const timestamp = String(Date.now());
    await kafka.send(
      it.topic,
      ['{"kind": "view"}', '{"kind": "view"}', 'x', '{"kind": "view"}'].map((value) => ({ value, timestamp })),
    );
    // That is there when the four were looked at.
    await readAll(deadLetterTopic(it.plan.dagId, 'changes'), 1);
    const other = kafka.kafka.consumer({ groupId: groupOf(it.plan.dagId, 'changes') });
    await other.connect();
    await other.subscribe({ topic: it.topic });
    const joined = new Promise((resolve) => other.on(other.events.GROUP_JOIN, resolve));
    await other.run({ autoCommit: false, eachBatch: () => Promise.resolve() });
    await joined;
    await other.disconnect();
    const [run] = await runsOf(it.plan, 1);
    const { keys } = (await sensors.inputOf(run?.pipelineRunId ?? '')).event?.value as { keys: unknown };
    assert.deepEqual(keys, [{ key: '', views: 3 }]);
    await readAll(deadLetterTopic(it.plan.dagId, 'changes'), 1);
    await stop(it.plan);
  });

  it('reads what Java has compressed with gzip, snappy, lz4 and zstd', async () => {
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
      const it = await pipeline({ source: { start: 'earliest' } }, {}, 1, { 'compression.type': codec });
      await kafka.sendJson(
        it.topic,
        Array.from({ length: 200 }, (_, n) => ({ score: n === 150 ? 1 : 0, n, text: 'the same again and again' })),
      );
      await apply(it.plan);
      assert.deepEqual(await sensors.idsOf(it.plan, 1), [`${it.topic}-0-150`], codec);
      await stop(it.plan);
    }
  });

  it('max_in_flight: no further run while that number has not ended', async () => {
    const it = await pipeline({ maxInFlight: 2 }, { tasks: [task('a', 'hang')] });
    await start(it);
    await kafka.sendJson(it.topic, [{ score: 1 }, { score: 1 }, { score: 1 }]);
    await runsOf(it.plan, 2);
    await eventually(async () => assert.match((await stateOf(it.plan)).reports[0]?.problem ?? '', /2 runs are in flight/), 30_000);
    const [first] = await listRuns(worker.client, 10, it.plan.dagId);
    assert.deepEqual(
      (await listRuns(worker.client, 10, it.plan.dagId)).map(({ state }) => state),
      ['running', 'running'],
    );
    await worker.client.workflow.getHandle(first?.pipelineRunId ?? '').terminate('as if by hand');
    await runsOf(it.plan, 3);
    for (const { pipelineRunId, state } of await listRuns(worker.client, 10, it.plan.dagId)) {
      if (state === 'running') await worker.client.workflow.getHandle(pipelineRunId).cancel();
    }
    await stop(it.plan);
  });

  it('parallelism: consumers share the partitions, and each record starts one run', async () => {
    const it = await pipeline({ parallelism: 2 }, {}, 4);
    await start(it);
    await kafka.send(
      it.topic,
      Array.from({ length: 40 }, (_, index) => ({ value: '{"score": 1}', partition: index % 4 })),
    );
    await runsOf(it.plan, 40);
    await eventually(async () => {
      const { reports } = await stateOf(it.plan);
      assert.equal(reports.length, 2);
      assert.equal(
        reports.reduce((sum, { counts }) => sum + counts.started, 0),
        40,
      );
    }, 30_000);
    await stop(it.plan);
  });

  it('waits for a topic that does not exist yet, and shows it', async () => {
    const topic = `events-${unique()}`;
    const plan = triggered(topic, { source: { topic, start: 'earliest' } }, {});
    await apply(plan);
    await eventually(async () => assert.match((await stateOf(plan)).reports[0]?.problem ?? '', /There is no topic/), 30_000);
    await kafka.createTopic(topic);
    await kafka.sendJson(topic, [{ score: 1 }]);
    await runsOf(plan, 1);
    await stop(plan);
  });

  it('is listed with its pipeline, and is gone when it was stopped', async () => {
    const it = await pipeline();
    await start(it);
    await eventually(async () => assert.ok((await listSensors(worker.client, worker.taskQueue)).some(({ id }) => id === idOf(it.plan))));
    await stop(it.plan);
    await eventually(async () => assert.ok(!(await listSensors(worker.client, worker.taskQueue)).some(({ id }) => id === idOf(it.plan))));
  });

  /** The records of a topic, in order. */
  async function readAll(topic: string, count: number): Promise<{ value: string | undefined; headers: Record<string, string> }[]> {
    const consumer = kafka.kafka.consumer({ groupId: `test-${unique()}`, maxWaitTimeInMs: 200 });
    await eventually(async () => assert.ok((await kafka.admin.listTopics()).includes(topic)));
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const found: { value: string | undefined; headers: Record<string, string> }[] = [];
    await consumer.run({
      eachMessage: async ({ message: { value, headers } }) => {
        found.push({
          value: value?.toString(),
          headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)])),
        });
      },
    });
    await eventually(async () => assert.equal(found.length, count));
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(found.length, count);
    await consumer.disconnect();
    return found;
  }
});
