import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { randomUUID } from 'node:crypto';
import { stringify } from 'yaml';
import { simulate } from '../../../cli/test/simulate.ts';
import { Compiler } from '../../../compiler/compile.ts';
import { startBackfill } from '../../../temporal/schedules/backfills.ts';
import { readEndedRun, startRerun } from '../../../temporal/runs/reruns.ts';
import { listRuns, startManualRun } from '../../../temporal/runs/runs.ts';
import { isNewest } from '../../../workflows/plan/timetable/intervals.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { isOfTimetable, type RunResult } from '../../../workflows/plan/runs/run.ts';
import { dataIntervalAt, type SchedulePlan } from '../../../workflows/plan/timetable/schedule.ts';
import { planOf as planned } from '../../support/plans.ts';
import { eventually } from '../../support/eventually.ts';
import { tasksOf, toyAttempt, TOYS } from '../../support/toy-language.ts';
import { workerOfSuite } from '../../support/temporal-suite.ts';

const compiler = new Compiler(TOYS);
const compiled = (file: JsonObject, tasks: string) =>
  compiler.compile({ file: 'x.yaml', text: stringify({ dag_id: 'x', schedule_interval: '@daily', tasks: tasksOf(tasks), ...file }) });

const TASKS = 'a: ok; b: ok with {latest_only: true}; c: ok after b; d: ok after c if all_done';

function planOf(file: JsonObject): Plan {
  const { plan, diagnostics } = compiled({ dag_id: `latest_${randomUUID().slice(0, 8)}`, execution: 'graph', ...file }, TASKS);
  return plan ?? assert.fail(JSON.stringify(diagnostics));
}

describe('latest_only', () => {
  it('is a mistake without a schedule', () => {
    const [mistake, ...others] = compiled({ schedule_interval: null }, 'a: ok with {latest_only: true}').diagnostics;
    assert.deepEqual(others, []);
    assert.match(`${mistake?.code} ${mistake?.message}`, /^SL211 'latest_only' has no effect in a pipeline without a schedule/);
  });

  it('is the word that the type of Airflow leads to', () => {
    for (const type of ['LatestOnlyOperator', 'latest_only', 'airflow.operators.latest_only.LatestOnlyOperator']) {
      const { diagnostics } = compiler.compile({ file: 'x.yaml', text: stringify({ dag_id: 'x', tasks: [{ name: 'a', type }] }) });
      assert.match(diagnostics[0]?.hint ?? '', /`latest_only: true`/, type);
    }
  });

  describe('the newest interval', () => {
    const daily: SchedulePlan = { kind: 'cron', cron: '0 2 * * *', timezone: 'UTC', endAt: '2024-05-10T02:00:00Z' };
    const interval = { start: '2024-05-01T02:00:00Z', end: '2024-05-02T02:00:00Z' };
    for (const [now, expected] of [
      ['2024-05-02T02:00:00Z', true],
      ['2024-05-03T01:59:59Z', true],
      ['2024-05-03T02:00:00Z', false],
      ['2025-01-01T00:00:00Z', false],
    ] as const) {
      it(`at ${now}: ${expected}`, () => assert.equal(isNewest(daily, interval, Date.parse(now)), expected));
    }
    it('stays the newest after end_date', () => {
      assert.equal(
        isNewest(daily, { start: '2024-05-10T02:00:00Z', end: '2024-05-11T02:00:00Z' }, Date.parse('2025-01-01T00:00:00Z')),
        true,
      );
    });
  });

  it('is asked of the runs of the clock, of backfills, and of what repeats them', () => {
    const plan = planned('d', []);
    const of = (cause: 'scheduled' | 'backfill' | 'manual' | 'pipeline' | 'kafka' | 'rerun', original?: string): boolean =>
      isOfTimetable({
        cause,
        plan,
        ...(original !== undefined && { rerunOf: { pipelineRunId: 'd/rerun/1', temporalRunId: '1', original, kept: {} } }),
      });
    assert.deepEqual([of('scheduled'), of('backfill'), of('manual'), of('pipeline'), of('kafka')], [true, true, false, false, false]);
    assert.deepEqual(
      ['d/scheduled-2024-01-01T00:00:00Z', 'd/backfill/2024-01-01T00:00:00Z/2024-01-02T00:00:00Z', 'd/manual/1'].map((id) =>
        of('rerun', id),
      ),
      [true, true, false],
    );
  });

  const statesOf = ({ tasks }: Pick<RunResult, 'tasks'>): string =>
    Object.entries(tasks)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, { state }]) => `${name}=${state}`)
      .join(' ');
  const NEWEST = 'a=success b=success c=success d=success';
  const OLDER = 'a=success b=skipped c=skipped d=success';

  describe('in the simulation', () => {
    const plan = planOf({});
    const interval = dataIntervalAt(plan.schedule, Date.parse('2024-05-02T00:00:00Z'));
    const run = (startedAt?: string) =>
      simulate(plan, {
        interval,
        script: ({ task, input }, attempt) => toyAttempt(task.type, input, attempt),
        ...(startedAt !== undefined && { startedAt: Date.parse(startedAt) }),
      });
    it('a run on time does it', async () => assert.equal(statesOf((await run()).result), NEWEST));
    it('a run that comes late skips it, and what follows by its rule', async () => {
      const { result } = await run('2024-05-03T00:00:00Z');
      assert.equal(statesOf(result), OLDER);
      assert.equal(result.tasks.b?.note, 'latest_only: a newer interval is complete');
    });
  });

  describe('on Temporal', function () {
    this.timeout('1m');
    const worker = workerOfSuite();

    const resultOf = async (pipelineRunId: string): Promise<RunResult> =>
      (await worker.client.workflow.getHandle(pipelineRunId).result()) as RunResult;

    it('a backfill does it for the newest interval alone; a run by hand always; a rerun as the run before', async () => {
      const { client, taskQueue } = worker;
      const plan = planOf({ schedule_interval: '@yearly' });
      const now = Date.now();
      const newest = dataIntervalAt(plan.schedule, now);
      const older = dataIntervalAt(plan.schedule, Date.parse(newest.start));
      const order = { plan, from: Date.parse(older.start), to: now, reprocess: 'none', maxActive: 2, reverse: false } as const;
      const { pipelineRunId } = await startBackfill(client, taskQueue, order);
      await client.workflow.getHandle(pipelineRunId).result();
      await eventually(async () => assert.equal((await listRuns(client, 10, plan.dagId)).length, 2));
      const runs = await listRuns(client, 10, plan.dagId);
      const of = (interval: { start: string }) =>
        runs.find((run) => run.interval === interval.start)?.pipelineRunId ?? assert.fail(interval.start);
      assert.deepEqual([statesOf(await resultOf(of(older))), statesOf(await resultOf(of(newest)))], [OLDER, NEWEST]);
      const byHand = await startManualRun(client, plan, taskQueue, older, 'again');
      assert.equal(statesOf(await resultOf(byHand.pipelineRunId)), NEWEST);
      const rerun = await startRerun(client, taskQueue, { run: await readEndedRun(client, of(older)), plan, params: {}, from: 'a' }, now);
      assert.equal(statesOf(await resultOf(rerun.pipelineRunId)), OLDER);
    });
  });
});
