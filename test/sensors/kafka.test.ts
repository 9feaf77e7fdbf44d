import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { deadLetterTopic } from '../../sensors/kafka/dead-letters.ts';
import { groupOf } from '../../sensors/kafka/start-position.ts';
import { listRuns, type RunSummary } from '../../temporal/runs.ts';
import { applySensorChange, listSensors, pauseSensor, resetSensor, resumeSensor } from '../../temporal/sensors.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RunInput, RunResult } from '../../workflows/plan/run.ts';
import { SENSOR_QUERY, sensorId, type SensorState, type TriggerPlan } from '../../workflows/plan/trigger.ts';
import { eventually } from '../support/eventually.ts';
import { TestKafka } from '../support/kafka.ts';
import { planOf, task } from '../support/plans.ts';
import { startSensorWorker } from '../support/sensor-worker.ts';
import type { TestWorker } from '../support/temporal-worker.ts';
import { testStack } from '../support/test-stack.ts';

const unique = (): string => randomUUID().replaceAll('-', '').slice(0, 8);
const OPERATOR = { by: 'ann', reason: 'a test' };

describe('the Kafka sensor', function () {
  this.timeout('2m');
  let worker: TestWorker;
  let kafka: TestKafka;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal', 'kafka']);
    worker = await startSensorWorker(environment);
    kafka = await TestKafka.connect(environment);
  });
  after(async () => {
    await kafka.close();
    await worker.close();
  });

  /** A pipeline of one trigger on a topic of its own. */
  async function pipeline(
    trigger: Partial<TriggerPlan> = {},
    plan: Partial<Plan> = {},
    partitions = 1,
  ): Promise<{ plan: Plan; topic: string }> {
    const topic = `events-${unique()}`;
    await kafka.createTopic(topic, partitions);
    return { topic, plan: triggered(topic, trigger, plan) };
  }

  function triggered(topic: string, trigger: Partial<TriggerPlan>, plan: Partial<Plan>): Plan {
    const triggers: TriggerPlan[] = [
      {
        name: 'changes',
        type: 'kafka',
        when: 'event.score > 0.7',
        mode: { kind: 'each' },
        onInvalid: 'dead_letter',
        parallelism: 1,
        ...trigger,
        source: { topic, ...trigger.source },
      },
    ];
    return planOf(`triggered_${unique()}`, [task('a', 'succeed')], { hash: unique(), triggers, ...plan });
  }

  const idOf = (plan: Plan): string => sensorId(plan.dagId, 'changes');
  const stateOf = (plan: Plan): Promise<SensorState> => worker.client.workflow.getHandle(idOf(plan)).query<SensorState>(SENSOR_QUERY);
  const apply = (plan: Plan, action: 'start' | 'update' = 'start'): Promise<void> =>
    applySensorChange(worker.client, { id: idOf(plan), action, plan, trigger: 'changes' }, worker.taskQueue);
  const stop = (plan: Plan): Promise<void> => applySensorChange(worker.client, { id: idOf(plan), action: 'stop' }, worker.taskQueue);

  /** Starts the sensor, and waits until it has pinned where it begins. */
  async function start({ plan, topic }: { plan: Plan; topic: string }): Promise<void> {
    await apply(plan);
    await eventually(async () => {
      const offsets = await kafka.committed(groupOf(plan.dagId, 'changes'), topic);
      assert.ok(offsets.length > 0 && offsets.every((offset) => offset !== '-1'));
    });
  }

  async function runsOf(plan: Plan, count: number): Promise<RunSummary[]> {
    return eventually(async () => {
      const runs = await listRuns(worker.client, 1000, plan.dagId);
      const found = runs.filter(({ cause }) => cause === 'kafka');
      assert.equal(found.length, count);
      return found.sort((a, b) => (a.pipelineRunId < b.pipelineRunId ? -1 : 1));
    }, 30_000);
  }

  const inputOf = async (run: string): Promise<RunInput> => {
    const { events } = await worker.client.workflow.getHandle(run).fetchHistory();
    const payload = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
    return JSON.parse(Buffer.from(payload?.data ?? []).toString()) as RunInput;
  };

  it('starts one run for each record that meets the condition, with what the record says', async () => {
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
    const { params, event } = await inputOf(first);
    assert.deepEqual(params, { segment: 'new', at: 0 });
    assert.deepEqual(event?.value, { score: 0.9, segment: 'new' });
    const result = (run: string): Promise<RunResult> => worker.client.workflow.getHandle(run).result() as Promise<RunResult>;
    assert.equal((await result(first)).tasks.a?.state, 'success');
    assert.equal((await result(second)).tasks.a?.state, 'skipped');
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

  it('keeps aside what cannot be read, with the reason and the origin, and goes on', async () => {
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

  it('on_invalid: skip passes over it; stop stops, says why, and goes on when it is told to', async () => {
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

  it('pauses, goes on where it was, and begins again elsewhere; a run that is there is not started twice', async () => {
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
    await assert.rejects(resetSensor(worker.client, idOf(it.plan), { ...OPERATOR, to: 'yesterday' }), /'yesterday' is no place to begin/);
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

  it('cooldown: after a run none for so long, in the time of the events', async () => {
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

  it('max_in_flight: no further run while so many have not ended', async () => {
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

  it('waits for a topic that does not exist yet, and says so', async () => {
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
