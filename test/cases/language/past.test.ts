import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { after, before, describe, it } from 'mocha';
import { stringify } from 'yaml';
import { Compiler } from '../../../compiler/compile.ts';
import { BackfillRefused, startBackfill } from '../../../temporal/schedules/backfills.ts';
import { decideApproval } from '../../../temporal/runs/decisions.ts';
import { showRun } from '../../../temporal/runs/follow-run.ts';
import { operateTask } from '../../../temporal/runs/operations.ts';
import { resultOfPast } from '../../../temporal/runs/past.ts';
import { readEndedRun, startRerun } from '../../../temporal/runs/reruns.ts';
import { type RunReference, startManualRun } from '../../../temporal/runs/runs.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { intervalBefore } from '../../../workflows/plan/runs/past.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { dataIntervalAt, type SchedulePlan } from '../../../workflows/plan/timetable/schedule.ts';
import type { TaskInput } from '../../../workflows/plan/tasks/task-input.ts';
import { eventually } from '../../support/eventually.ts';
import { sluice } from '../../support/processes.ts';
import { tasksOf, TOYS } from '../../support/toy-language.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { testStack } from '../../support/test-stack.ts';

const compiler = new Compiler(TOYS);
const compiled = (file: JsonObject, tasks: string) =>
  compiler.compile({ file: 'x.yaml', text: stringify({ dag_id: 'x', schedule_interval: '@daily', tasks: tasksOf(tasks), ...file }) });
const mistakesOf = (file: JsonObject, tasks: string): string[] =>
  compiled(file, tasks).diagnostics.map(({ line, code, message, hint }) => `${line} ${code} ${message} ${hint ?? ''}`);

function planOf(tasks: string, file: JsonObject = {}): Plan {
  const { plan, diagnostics } = compiled({ dag_id: `past_${randomUUID().slice(0, 8)}`, ...file }, tasks);
  return plan ?? assert.fail(JSON.stringify(diagnostics));
}

describe('depends_on_past', () => {
  describe('in a file', () => {
    it('is a key of a task and of default_args, for the tasks of the run alone', () => {
      const { plan, diagnostics } = compiled(
        { default_args: { depends_on_past: true }, finally: tasksOf('z: ok') },
        'a: ok; b: ok with {depends_on_past: false}',
      );
      assert.deepEqual(diagnostics, []);
      assert.deepEqual(
        [...(plan?.tasks ?? []), ...(plan?.finally ?? [])].map(({ name, dependsOnPast }) => [name, dependsOnPast]),
        [
          ['a', true],
          ['b', undefined],
          ['z', undefined],
        ],
      );
    });

    for (const [what, file, tasks, told] of [
      [
        'no schedule',
        { schedule_interval: null },
        'a: ok with {depends_on_past: true}',
        /SL211 'depends_on_past' has no effect in a pipeline without a schedule/,
      ],
      ['no schedule, in default_args', { schedule_interval: null, default_args: { depends_on_past: true } }, 'a: ok', /SL211/],
      [
        'a task after the end',
        { finally: tasksOf('z: ok with {depends_on_past: true}') },
        'a: ok',
        /SL211 'depends_on_past' has no effect in finally/,
      ],
      ['another value', {}, 'a: ok with {depends_on_past: "yes"}', /SL\d+ .*depends_on_past/],
    ] as const) {
      it(`is a mistake with ${what}`, () => {
        const mistakes = mistakesOf(file, tasks);
        assert.equal(mistakes.length, 1, mistakes.join('\n'));
        assert.match(mistakes[0] ?? '', told);
      });
    }
  });

  describe('the interval before', () => {
    const daily: SchedulePlan = { kind: 'cron', cron: '30 2 * * *', timezone: 'Europe/Berlin', startAt: '2024-03-29T23:00:00Z' };
    const at = (schedule: SchedulePlan, time: string) => dataIntervalAt(schedule, Date.parse(time));
    it('is that of the timetable, over a change of clocks', () => {
      assert.deepEqual(intervalBefore(daily, at(daily, '2024-04-02T01:00:00Z')), {
        start: '2024-03-31T01:30:00Z',
        end: '2024-04-01T00:30:00Z',
      });
    });
    it('is none for the first since start_date', () => assert.equal(intervalBefore(daily, at(daily, '2024-03-31T02:00:00Z')), undefined));
    it('covers the weekend that a calendar leaves out', () => {
      const calendar: SchedulePlan = { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC', calendar: { businessDays: true, exclude: [] } };
      assert.deepEqual(intervalBefore(calendar, at(calendar, '2024-05-14T01:00:00Z')), {
        start: '2024-05-10T00:00:00Z',
        end: '2024-05-13T00:00:00Z',
      });
    });
    it('is none for an interval of another timetable, and without a schedule', () => {
      const hour = { start: '2024-05-14T01:00:00Z', end: '2024-05-14T02:00:00Z' };
      assert.equal(intervalBefore(daily, hour), undefined);
      assert.equal(intervalBefore(null, hour), undefined);
    });
  });

  describe('decides', () => {
    const schedule: SchedulePlan = { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC' };
    const interval = { start: '2024-05-01T00:00:00Z', end: '2024-05-02T00:00:00Z' };
    const question = { dagId: 'd', schedule, interval, task: 'load', pipelineRunId: 'd/manual/2' };
    const run = (task: 'success' | 'failed' | 'skipped' | 'running' | undefined, hasEnded = true) => ({
      pipelineRunId: 'd/manual/1',
      hasEnded,
      task,
    });

    for (const [what, runs, history, expected] of [
      ['a success', [run('failed'), run('success')], {}, {}],
      ['one that was skipped', [run('skipped')], {}, {}],
      ['a success in a run that goes on', [run('success', false)], {}, {}],
      ['the first run ever', [], { hasEarlier: false }, {}],
      ['a task that is new', [run(undefined)], {}, { note: "its pipeline had no 'load' in d/manual/1" }],
      [
        'a past that Temporal has forgotten',
        [],
        { expiredAfterMs: 30 * 86_400_000 },
        { note: 'its past is not known: Temporal keeps ended runs for 30d, and has none of 2024-05-01T00:00:00Z – 2024-05-02T00:00:00Z' },
      ],
    ] as const) {
      it(`${what}: it starts`, () => assert.deepEqual(resultOfPast(question, runs, history), expected));
    }

    for (const [what, runs, history, told] of [
      ['a run that goes on', [run('running', false)], {}, /^d\/manual\/1 has not ended, and 'load' is running there\.$/],
      [
        'a failure',
        [run('failed')],
        {},
        /^'load' is failed in d\/manual\/1: `sluice rerun d\/manual\/1` repeats it; `sluice retry d\/manual\/2 load`/,
      ],
      [
        'a gap',
        [],
        { hasEarlier: true },
        /^There is no run of 2024-05-01.*`sluice backfill d --from 2024-05-01T00:00:00Z --to 2024-05-01T00:00:00Z` runs it/,
      ],
    ] as const) {
      it(`${what}: it waits, and says for what`, () => assert.match(String(resultOfPast(question, runs, history)), told));
    }
  });

  describe('on Temporal', function () {
    this.timeout('1m');
    let worker: TestWorker;
    let environment: Record<string, string>;
    /** `<dag_id> <day>` of the tasks that fail. */
    const failing = new Set<string>();
    const order: string[] = [];

    before(async function () {
      this.timeout('15m');
      const ok = async ({ interval }: TaskInput): Promise<null> => {
        const { workflowType, activityId } = Context.current().info;
        const day = `${workflowType} ${interval.start.slice(8, 10)}`;
        order.push(`${day} ${activityId}`);
        if (failing.has(day)) throw ApplicationFailure.nonRetryable('no', 'TestFailure');
        return null;
      };
      ({ environment } = await testStack(['temporal']));
      worker = await startTestWorker(environment, { ok });
    });
    after(() => worker.close());

    const start = (plan: Plan, day: number): Promise<RunReference> => {
      const interval = dataIntervalAt(plan.schedule, Date.parse(`2024-05-0${day + 1}T00:00:00Z`));
      return startManualRun(worker.client, plan, worker.taskQueue, interval, interval.start);
    };
    const resultOf = async ({ pipelineRunId }: RunReference): Promise<RunResult> =>
      (await worker.client.workflow.getHandle(pipelineRunId).result()) as RunResult;
    const noteOf = async (run: RunReference, task: string): Promise<string> =>
      (await showRun(worker.client, run)).instances.get(task)?.note ?? '';
    const waitsFor = (run: RunReference, seen: RegExp): Promise<void> => eventually(async () => assert.match(await noteOf(run, 'a'), seen));

    it('waits while the task before runs, and starts when it has succeeded', async () => {
      const plan = planOf(
        'ask: approval with {prompt: Go?}; a: ok with {depends_on_past: true, depends_on: [ask]}; b: ok with {depends_on: []}',
        { execution: 'graph' },
      );
      const first = await start(plan, 1);
      const second = await start(plan, 2);
      await decideApproval(worker.client, second.pipelineRunId, { task: 'ask', decision: 'approve', by: 'ann' });
      await waitsFor(second, /^waits for its past: \S+\/manual\/2024-05-01T00:00:00Z has not ended, and 'a' is queued there/);
      const { raw } = await worker.client.workflow.getHandle(second.pipelineRunId).describe();
      assert.deepEqual(
        raw.pendingActivities?.map(({ activityId, state }) => [activityId, state]),
        [['past of a', 1]],
        'it waits for its next look, on no worker',
      );
      await decideApproval(worker.client, first.pipelineRunId, { task: 'ask', decision: 'approve', by: 'ann' });
      assert.equal((await resultOf(second)).state, 'success');
      assert.deepEqual(
        order.filter((each) => each.startsWith(plan.dagId) && each.endsWith(' a')).map((each) => each.split(' ')[1]),
        ['01', '02'],
      );
    });

    it('waits for a rerun of what has failed, which finds a place under max_active_runs', async () => {
      const plan = planOf('a: ok with {depends_on_past: true}', { max_active_runs: 1 });
      failing.add(`${plan.dagId} 01`);
      const first = await start(plan, 1);
      await assert.rejects(resultOf(first));
      const second = await start(plan, 2);
      await waitsFor(second, /^waits for its past: 'a' is failed in \S+: `sluice rerun \S+\/manual\/2024-05-01T00:00:00Z` repeats it/);
      failing.clear();
      const run = await readEndedRun(worker.client, first.pipelineRunId);
      await startRerun(worker.client, worker.taskQueue, { run, plan, params: {} }, Date.now());
      assert.equal((await resultOf(second)).state, 'success');
    });

    it('waits for an interval that has no run, and starts anyway when an operator requests it', async () => {
      const plan = planOf('a: ok with {depends_on_past: true}');
      assert.equal((await resultOf(await start(plan, 1))).tasks.a?.note, undefined);
      const third = await start(plan, 3);
      await waitsFor(third, /^waits for its past: There is no run of 2024-05-02T00:00:00Z/);
      const { stdout } = await sluice(['status'], { ...environment, SLUICE_TASK_QUEUE: worker.taskQueue });
      assert.match(
        stdout,
        /\npast: 1 task waits for an earlier run\n\nRUN .*WAITS FOR\n\S+\/manual\/2024-05-03T00:00:00Z +a +\S+ +There is no run of 2024-05-02/,
      );
      await operateTask(worker.client, third.pipelineRunId, 'retry', { task: 'a', by: 'ann', reason: 'a holiday' });
      const { tasks } = await resultOf(third);
      assert.deepEqual(tasks.a, { state: 'success', output: null, note: 'did not wait for its past: retry by ann: a holiday' });
    });

    it('starts anyway a task whose run waits before it takes its place', async () => {
      const plan = planOf('a: ok with {depends_on_past: true}', { max_active_runs: 1 });
      failing.add(`${plan.dagId} 01`);
      await assert.rejects(resultOf(await start(plan, 1)));
      const second = await start(plan, 2);
      await waitsFor(second, /'a' is failed/);
      await operateTask(worker.client, second.pipelineRunId, 'retry', { task: 'a', by: 'ann' });
      assert.equal((await resultOf(second)).tasks.a?.note, 'did not wait for its past: retry by ann');
    });

    it('ends with the run that is cancelled', async () => {
      const plan = planOf('a: ok with {depends_on_past: true}');
      failing.add(`${plan.dagId} 01`);
      await assert.rejects(resultOf(await start(plan, 1)));
      const second = await start(plan, 2);
      await waitsFor(second, /'a' is failed/);
      await worker.client.workflow.getHandle(second.pipelineRunId).cancel();
      await assert.rejects(resultOf(second), /cancel/i);
    });

    it('runs the intervals of a backfill one after the other, oldest first, and never in reverse', async () => {
      const plan = planOf('a: ok with {depends_on_past: true}');
      const wanted = {
        plan,
        from: Date.parse('2024-05-01'),
        to: Date.parse('2024-05-03'),
        reprocess: 'none',
        maxActive: 3,
        reverse: false,
      } as const;
      await assert.rejects(startBackfill(worker.client, worker.taskQueue, { ...wanted, reverse: true }), BackfillRefused);
      const { pipelineRunId } = await startBackfill(worker.client, worker.taskQueue, wanted);
      await worker.client.workflow.getHandle(pipelineRunId).result();
      assert.deepEqual(
        order.filter((each) => each.startsWith(plan.dagId)).map((each) => each.split(' ')[1]),
        ['01', '02', '03'],
      );
    });
  });
});
