import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'mocha';
import { findProblems } from '../../../monitors/problems.ts';
import type { WatchedRun } from '../../../monitors/watched.ts';
import { StartedObjects } from '../../../sensors/s3/started-objects.ts';
import { Oldest } from '../../../sensors/s3/oldest.ts';
import { surplusRuns } from '../../../temporal/runs/ended-runs.ts';
import { RunIndex } from '../../../temporal/runs/run-index.ts';
import type { KnownRun } from '../../../temporal/runs/known-run.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import { DEFAULT_MONITOR_SETTINGS } from '../../../workflows/plan/incidents/incident.ts';
import { type DataInterval, iso } from '../../../workflows/plan/timetable/schedule.ts';
import { eventually } from '../../support/eventually.ts';
import { planOf, SOME_DAY, task } from '../../support/plans.ts';
import { workerOfSuite } from '../../support/temporal-suite.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse('2024-03-01T00:30:00Z');
const PLAN = planOf('shop', [task('a', 'ok')], { schedule: { kind: 'every', everyMs: HOUR, timezone: 'UTC' }, critical: true });

/** Numbers in [0, 1), the same ones for the same seed. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

function known(state: string, queuedAt: number, endedAt: number | undefined, interval?: DataInterval): KnownRun {
  const id = randomUUID();
  return {
    dagId: 'shop',
    planHash: '',
    hasStarted: true,
    run: {
      pipelineRunId: `shop/manual/${id}`,
      temporalRunId: id,
      cause: 'manual',
      state,
      queuedAt,
      ...(endedAt !== undefined && { endedAt }),
      ...(interval && { interval }),
    },
  };
}

/** The interval that ended so many hours before now. */
function interval(hours: number): DataInterval {
  const end = Date.parse('2024-03-01T00:00:00Z') - hours * HOUR;
  return { start: iso(end - HOUR), end: iso(end) };
}

function problemsOf(runs: readonly KnownRun[], schedule = PLAN.schedule): string[] {
  const plan = { ...PLAN, schedule };
  const watched = runs.map(({ run }): WatchedRun => ({ ...run, hasStarted: true, plan }));
  const pipeline = { plan, createdAt: NOW - 200 * HOUR, paused: false, runs: watched };
  return findProblems(pipeline, NOW, DEFAULT_MONITOR_SETTINGS)
    .map(({ key }) => key)
    .sort();
}

function without(runs: readonly KnownRun[], surplus: readonly KnownRun[]): KnownRun[] {
  const gone = new Set(surplus);
  return runs.filter((each) => !gone.has(each));
}

describe('what grows with the data is bounded', () => {
  it('of a hundred thousand ended runs a few are kept, of one interval and of many', () => {
    const none = (): boolean => false;
    const ofOne = Array.from({ length: 100_000 }, (_, index) => known('success', NOW - index, NOW - index, interval(1)));
    assert.equal(without(ofOne, surplusRuns(ofOne, none, NOW, 5 * DAY)).length, 100);
    const ofMany = Array.from({ length: 100_000 }, (_, index) => known('success', NOW - index, NOW - index));
    assert.equal(without(ofMany, surplusRuns(ofMany, none, NOW, 5 * DAY)).length, 1_000);
    const old = Array.from({ length: 10 }, () => known('failed', NOW - 6 * DAY, NOW - 5 * DAY));
    assert.equal(without(old, surplusRuns(old, none, NOW, 5 * DAY)).length, 0);
  });

  it('what is kept has the same problems as everything, in any order', () => {
    const states = ['success', 'failed', 'canceled', 'running'];
    for (let seed = 1; seed <= 60; seed++) {
      const random = numbers(seed);
      const runs = Array.from({ length: 400 }, () => {
        const hours = Math.floor(random() * 180);
        const state = states[Math.floor(random() * states.length * (random() < 0.5 ? 0.25 : 1))] ?? 'success';
        const began = NOW - random() * hours * HOUR - 700_000;
        return known(state, began, state === 'running' ? undefined : began + 60_000, interval(hours));
      });
      for (const schedule of [PLAN.schedule, null]) {
        const all = problemsOf(runs, schedule);
        const isOpen = ({ run }: KnownRun): boolean =>
          all.some((key) => key.endsWith(`/${run.interval?.start}`) || key.endsWith(run.pipelineRunId.slice('shop'.length)));
        const kept = without(runs, surplusRuns(runs, isOpen, NOW, 3 * DAY, { intervals: 110, runsOfInterval: 3 }));
        assert.ok(kept.length < runs.length);
        assert.deepEqual(
          problemsOf(kept, schedule).filter((key) => all.includes(key)),
          problemsOf(kept, schedule),
          `seed ${seed}: no false problem`,
        );
        const newest = interval(100).start;
        const recent = all.filter((key) => schedule === null || (key.split('/').at(-1) ?? '') > newest);
        assert.deepEqual(
          recent.filter((key) => !problemsOf(kept, schedule).includes(key)),
          [],
          `seed ${seed}: no problem is forgotten`,
        );
      }
    }
  });

  it('a sensor of objects remembers a limited number, starts the oldest first, and forgets objects outside its prefix', () => {
    const seen = new StartedObjects(1_000);
    for (let index = 0; index < 50_000; index++) seen.add(`object ${index}`, index);
    assert.equal(seen.size, 1_000);
    assert.ok(seen.has('object 49999') && !seen.has('object 48999'));
    // What is handed on again does not push out what is newer.
    seen.add('object 5', 5);
    assert.ok(!seen.has('object 5') && seen.has('object 49000'));
    seen.forgetBefore(49_990);
    assert.equal(seen.size, 10);
    const oldest = new Oldest<number>(100, (a, b) => a - b);
    const random = numbers(7);
    const all = Array.from({ length: 10_000 }, random);
    for (const each of all) oldest.add(each);
    const { first, more } = oldest.take();
    assert.deepEqual(first, [...all].sort((a, b) => a - b).slice(0, 100));
    assert.ok(more);
  });

  describe('on a real server', function () {
    this.timeout('1m');
    const worker = workerOfSuite();

    it('the index of runs keeps the newest, and those of open problems', async () => {
      const plan = planOf(`grows_${randomUUID().slice(0, 8)}`, [task('a', 'succeed')]);
      const ids: string[] = [];
      for (let number = 0; number < 6; number++) {
        const at = Date.parse(SOME_DAY.start) + number * DAY;
        const { pipelineRunId } = await startManualRun(
          worker.client,
          plan,
          worker.taskQueue,
          { start: iso(at), end: iso(at + DAY) },
          `run-${number}`,
        );
        await worker.client.workflow.getHandle(pipelineRunId).result();
        ids.push(pipelineRunId);
      }
      const index = new RunIndex(worker.client, { intervals: 2, runsOfInterval: 2 });
      const own = (): string[] => (index.byPipeline().get(plan.dagId) ?? []).map(({ run }) => run.pipelineRunId).sort();
      await eventually(async () => {
        await index.refresh(Date.now());
        assert.deepEqual(own(), ids);
        assert.ok(
          index
            .byPipeline()
            .get(plan.dagId)
            ?.every(({ run }) => run.endedAt !== undefined),
        );
      });
      index.forget(Date.now(), [`${plan.dagId}/failed/manual/run-1`]);
      assert.deepEqual(own(), [ids[1], ids[4], ids[5]]);
    });
  });
});
