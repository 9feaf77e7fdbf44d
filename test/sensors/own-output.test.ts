import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { OwnOutput } from '../../sensors/events/own-output.ts';
import type { RunOrigin } from '../../sensors/run/run-starts.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import { planOf, task } from '../support/plans.ts';

const PLAN = planOf('mine', [
  { ...task('a', 'succeed'), outputBase: 's3://lake/mine/a' },
  { ...task('b', 'succeed'), outputBase: 's3://lake/mine/b', params: { s3_key: 'out/{{ ds }}/' } },
]);
const event = (value: JsonObject, meta: JsonObject = {}): RunEvent => ({ value, meta: { timestamp: '2026-01-01T00:00:00Z', ...meta } });
const header = (key: string): RunEvent => event({}, { headers: { 'idempotency-key': key } });

/** An event of each kind of trigger that this pipeline's runs have made, or one that it started; and one that others have made. */
const EVENTS: Readonly<Record<string, { readonly own: readonly RunEvent[]; readonly other: readonly RunEvent[] }>> = {
  kafka: {
    own: [header('mine/kafka/t-0-1/run/publish')],
    other: [header('mine_too/manual/1/run/x'), header('other/mine/1'), event({ 'idempotency-key': 'mine/x' })],
  },
  rabbitmq: { own: [header('mine/manual/1/run/publish')], other: [header('minestrone/x/1')] },
  pipeline: {
    own: [event({ run_id: 'mine/manual/1' }), event({ run_id: 'other/pipeline/mine/scheduled-1@2026' })],
    other: [event({ run_id: 'other/manual/mine' }), event({})],
  },
  dataset: {
    own: [event({ updates: [{ run_id: 'other/manual/1' }, { run_id: 'other/dataset/mine/manual/1@2026' }] })],
    other: [event({ updates: [{ run_id: 'other/manual/1' }] })],
  },
  s3: {
    own: [event({ bucket: 'lake', key: 'mine/a/20260101T000000Z/manifest.json' }), event({ bucket: 'lake', key: 'out/2026-01-01/x.csv' })],
    other: [
      event({ bucket: 'lake', key: 'mine/abc' }),
      event({ bucket: 'other', key: 'mine/a/x' }),
      event({ bucket: 'lake', key: 'mine/b/x' }),
    ],
  },
  http: { own: [], other: [header('mine/x'), event({ run_id: 'mine/x' })] },
};

async function startsOf(type: string, made: RunEvent, outcome: 'started' | 'known' = 'started'): Promise<number> {
  const guard = new OwnOutput(PLAN, type, {}, () => 0);
  let starts = 0;
  const start = (): Promise<typeof outcome> => Promise.resolve(outcome).finally(() => (starts += 1));
  await Promise.all(
    Array.from({ length: 30 }, (_, at) =>
      guard
        .guard(made, `mine/${type}/${at}`, start)
        .catch((error: Error) => assert.match(error.message, /^The pipeline starts itself: .* 10 runs within a minute/)),
    ),
  );
  return starts;
}

describe('runs that a pipeline starts by its own output', () => {
  for (const [type, { own, other }] of Object.entries(EVENTS)) {
    it(`${type}: ten in a minute, and then the sensor stops; any number by what others have made`, async () => {
      for (const each of own) assert.equal(await startsOf(type, each), 10, JSON.stringify(each));
      for (const each of other) assert.equal(await startsOf(type, each), 30, JSON.stringify(each));
    });
  }

  it('do not count when they were there before: a sensor that restarts reads its events again', async () => {
    for (const each of EVENTS.kafka?.own ?? []) assert.equal(await startsOf('kafka', each, 'known'), 30);
  });

  it('are found behind the runs of other pipelines: those that an event, or a task of another run, has started', async () => {
    const id = '0190a1b2-0000-4000-8000-000000000000';
    const origins: Readonly<Record<string, RunOrigin>> = {
      'b/rabbitmq/1': { cause: 'rabbitmq', event: header(`c/run/1/${id}/tell`) },
      'c/run/1': { cause: 'pipeline', parent: 'd/kafka/1' },
      'd/kafka/1': { cause: 'kafka', event: header(`mine/manual/1/${id}/tell`) },
      'e/kafka/1': { cause: 'kafka', event: event({ from: 'outside' }) },
    };
    const startsAfter = async (run: string): Promise<number> => {
      let now = 0;
      const guard = new OwnOutput(PLAN, 'kafka', { startedBy: (each) => Promise.resolve(origins[each]) }, () => (now += 700));
      let starts = 0;
      const start = (): Promise<'started'> => Promise.resolve('started' as const).finally(() => (starts += 1));
      for (let at = 0; at < 20; at++) {
        await guard
          .guard(header(`${run}/${id}/tell`), `mine/kafka/${at}`, start)
          .catch((error: Error) => assert.match(error.message, /^The pipeline starts itself through 'b', 'c', 'd': /));
      }
      return starts;
    };
    assert.deepEqual([await startsAfter('b/rabbitmq/1'), await startsAfter('e/kafka/1'), await startsAfter('f/gone/1')], [10, 20, 20]);
  });

  it('continue a minute later', async () => {
    let now = 0;
    const guard = new OwnOutput(PLAN, 'kafka', {}, () => now);
    const [own] = EVENTS.kafka?.own ?? [];
    const start = (): Promise<'started' | 'known'> => guard.guard(own ?? assert.fail(), 'r', () => Promise.resolve('started'));
    for (let at = 0; at < 10; at++) await start();
    await assert.rejects(start(), { type: 'SensorStopped' });
    now = 60_001;
    assert.equal(await start(), 'started');
  });
});
