import assert from 'node:assert/strict';
import kafkajs from 'kafkajs';
import { after, before, describe, it } from 'mocha';
import type { KafkaConnection } from '../../lib/kafka/connection.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { EventMatcher, type EventMatch } from '../../sensors/events/event-matcher.ts';
import { EventRuns } from '../../sensors/events/event-runs.ts';
import { readDeadLetters } from '../../sensors/kafka/read-dead-letters.ts';
import { runKafkaSensor } from '../../sensors/kafka/run-kafka-sensor.ts';
import { groupOf } from '../../sensors/kafka/start-position.ts';
import type { RunStarts } from '../../sensors/run/run-starts.ts';
import { SensorJournal } from '../../sensors/run/sensor-journal.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { type RunEvent, type TriggerPlan } from '../../workflows/plan/trigger.ts';
import { NO_COUNTS } from '../../workflows/plan/sensor.ts';
import { eventually } from '../support/eventually.ts';
import { TestKafka } from '../support/kafka.ts';
import { planOf } from '../support/plans.ts';
import { unique } from '../support/test-sensors.ts';
import { testStack } from '../support/test-stack.ts';

/** A partition may stand still for so long because of a record, and a consumer may be away for so long after a fault. Milliseconds. */
const BLOCKED = 5_000;
const REBUILT = 10_000;

describe('the Kafka sensor, when something is wrong', function () {
  this.timeout('1m');
  let kafka: TestKafka;
  let connection: KafkaConnection;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['kafka']);
    kafka = await TestKafka.connect(environment);
    connection = connectionsFrom(environment).get('kafka_default', ['kafka']);
  });
  after(() => kafka.close());

  /** A sensor by itself on a topic of its own; what it starts is noted. */
  async function sensor(
    matcherOf: (plan: Plan, trigger: TriggerPlan) => EventMatcher,
    onStart: (id: string) => Promise<void> = () => Promise.resolve(),
  ) {
    const name = unique();
    const topic = `faults-${name}`;
    await kafka.createTopic(topic, 1, { 'max.message.bytes': '20000000' });
    const trigger: TriggerPlan = {
      ...{ name: 'changes', type: 'kafka', when: 'event.score > 0.7', mode: { kind: 'each' }, onInvalid: 'dead_letter', parallelism: 1 },
      source: { topic, start: 'earliest' },
    };
    const plan = planOf(`faults_${name}`, [], { triggers: [trigger] });
    const started = new Map<string, number>();
    const starts = {
      start: async ({ id }) => {
        await onStart(id);
        if (started.has(id)) return 'known';
        started.set(id, performance.now());
        return 'started';
      },
      idOf: ({ id }) => id,
    } satisfies Partial<RunStarts> as unknown as RunStarts;
    const stop = new AbortController();
    const journal = new SensorJournal(0, { counts: NO_COUNTS });
    const quiet = (): void => undefined;
    const running = runKafkaSensor({
      ...{ dagId: plan.dagId, name: plan.dagId, plan, trigger, consumer: 0, since: new Date().toISOString(), journal, signal: stop.signal },
      connection: <T>() => connection as T,
      matcher: matcherOf(plan, trigger),
      runs: new EventRuns(plan, trigger, 'sensor', starts, journal, stop.signal),
      log: { info: quiet, warn: quiet },
    });
    running.catch(quiet);
    const committed = (offset: string): Promise<void> =>
      eventually(async () => assert.deepEqual(await kafka.committed(groupOf(plan.dagId, trigger.name), topic), [offset]), 30_000);
    return { topic, plan, started, journal, committed, stop: () => (stop.abort(), running.catch(quiet)) };
  }

  it('a record that cannot be read, or is far too large, holds nothing up; dead letters are exact', async () => {
    const { topic, plan, started, committed, stop } = await sensor((...of) => new EventMatcher(...of));
    await kafka.send(topic, [{ value: '{"score": 0.9}' }]);
    await committed('1');
    const large = JSON.stringify({ score: 0.9, text: 'x'.repeat(10_000_000) });
    await kafka.send(topic, [{ value: '{"score"' }, { value: null }, { value: '[1]' }, { value: large }, { value: '{"score": 0.9}' }]);
    const sent = performance.now();
    await committed('6');
    assert.ok((started.get(`${topic}-0-5`) ?? Infinity) - sent < BLOCKED);
    assert.deepEqual([...started.keys()], [`${topic}-0-0`, `${topic}-0-5`]);
    const letters = await readDeadLetters(connection, plan.dagId, 'changes');
    assert.deepEqual(
      letters.map(({ record }) => record.offset),
      ['1', '2', '3', '4'],
    );
    await stop();
  });

  for (const [what, upTo, left] of [
    ['some of the records', 4, ['4', '5']],
    ['all records', 6, []],
  ] as const) {
    it(`${what} that a running sensor has not read are removed by the broker: it counts them as lost, and continues`, async () => {
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      const { topic, started, journal, committed, stop } = await sensor(
        (...of) => new EventMatcher(...of),
        () => held,
      );
      await kafka.send(topic, [{ value: '{"score": 0.9}' }]);
      await eventually(() => Promise.resolve(assert.equal(journal.counts.matches, 1)));
      for (let n = 1; n < 6; n++) await kafka.send(topic, [{ value: '{"score": 0.9}' }]);
      await kafka.removeRecords(topic, 0, upTo);
      release();
      await eventually(() => Promise.resolve(assert.ok(started.has(`${topic}-0-0`))));
      await kafka.send(topic, [{ value: '{"score": 0.9}' }]);
      await committed('7');
      assert.deepEqual(
        [...started.keys()],
        ['0', ...left, '6'].map((offset) => `${topic}-0-${offset}`),
      );
      await eventually(() => Promise.resolve(assert.equal(journal.counts.lost, upTo - 1)));
      await stop();
    });
  }

  it('an internal error, and a client that gives up permanently: the consumer is recreated, and nothing is lost', async () => {
    const faults = new Map<number, Error>([
      [3, new TypeError('a mistake of ours')],
      [6, new kafkajs.KafkaJSNonRetriableError('the client gives up')],
    ]);
    const away: number[] = [];
    class Faulty extends EventMatcher {
      private failedAt: number | undefined;

      override match(event: RunEvent): EventMatch {
        if (this.failedAt !== undefined) away.push(performance.now() - this.failedAt);
        this.failedAt = undefined;
        const { n } = event.value as { readonly n: number };
        const fault = faults.get(n);
        if (!fault) return super.match(event);
        faults.delete(n);
        this.failedAt = performance.now();
        throw fault;
      }
    }
    const { topic, started, committed, stop } = await sensor((...of) => new Faulty(...of));
    await kafka.sendJson(
      topic,
      Array.from({ length: 10 }, (_, n) => ({ n, score: 0.9 })),
    );
    await committed('10');
    assert.deepEqual(
      [...started.keys()],
      Array.from({ length: 10 }, (_, n) => `${topic}-0-${n}`),
    );
    assert.equal(away.length, 2);
    assert.ok(Math.max(...away) < REBUILT, `away for ${away.join(' and ')} ms`);
    await stop();
  });
});
