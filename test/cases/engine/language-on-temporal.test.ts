import { WorkflowUpdateFailedError } from '@temporalio/client';
import { describe, it } from 'mocha';
import { DECIDE, type HeldDecision, RESOLVE_HELD } from '../../../workflows/plan/runs/decision.ts';
import { parseDuration } from '../../../workflows/plan/values/duration.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { Plan, TaskPlan } from '../../../workflows/plan/plan.ts';
import { workerOfSuite } from '../../support/temporal-suite.ts';
import { ToyClock } from '../../support/toy-clock.ts';
import { runToys, type TimedAct } from '../../support/toy-runs.ts';
import { assertCase, type Case, casePlan, CASES } from '../../workflows/run/language-cases.ts';

/** Cases that end by a timer of the workflow, which takes its time on a real server; below and in host-keys.test.ts are some with short ones. */
const TIMED = new Set([
  'nobody decides',
  'retry, and it fails again',
  'a decision about another task is refused',
  'in time nobody: rejected',
  'in time nobody: approved where that is said',
  'one of two is not enough',
  'nobody counts twice',
  'only those who are asked',
  'a form that is not filled in is refused',
  'a vote after the end changes nothing',
  'dagrun_timeout ends a run as failed',
  'dagrun_timeout leaves what is done',
  'they run after a time-out',
  'a run that took too long, at the task where it was',
  'an attempt takes too long',
]);

/** The interpreter's own table of Temporal (test/workflows/interpreter.test.ts) has the cases without times and people. */
const TIMES_AND_PEOPLE = /\b(slow|flaky|approval|hold_on_failure|takes)\b/;

describe('times and people are the same on Temporal as in the simulation', function () {
  this.timeout('1m');
  const clock = new ToyClock();
  const worker = workerOfSuite(clock.activities);

  /** Retries of a real server take their delays. */
  const quick = (plan: Plan): Plan => {
    const hasten = (task: TaskPlan): TaskPlan => ({ ...task, retry: { ...task.retry, initialDelayMs: 20, maximumDelayMs: 20 } });
    return { ...plan, tasks: plan.tasks.map(hasten) };
  };
  const decision = (word: string): TimedAct => {
    const [, when = '', action = '', task = '', by = '', more] = /^(\w+) (\w+) ([\w.]+) by (\w+)(?: (\{.*\}))?$/.exec(word) ?? [];
    const form = more === undefined ? {} : { form: JSON.parse(more) as JsonObject };
    return {
      atMs: parseDuration(when) ?? 0,
      act: (handle) =>
        (action === 'approve' || action === 'reject'
          ? handle.executeUpdate(DECIDE, { args: [{ task, decision: action, by, ...form }] })
          : handle.executeUpdate(RESOLVE_HELD, { args: [{ task, action: action as HeldDecision['action'], by }] })
        ).catch((error: unknown) => {
          if (!(error instanceof WorkflowUpdateFailedError)) throw error;
        }),
    };
  };

  for (const [subject, cases] of Object.entries(CASES)) {
    for (const [title, tasks, expected, given = {}] of cases) {
      if (TIMED.has(title) || (!TIMES_AND_PEOPLE.test(tasks) && given.cancel === undefined)) continue;
      it(`${subject}: ${title}`, async () => {
        const acts = (given.people ?? []).map(decision);
        if (given.cancel !== undefined) acts.push({ atMs: parseDuration(given.cancel) ?? 0, act: (handle) => handle.cancel() });
        assertCase(await runToys(worker, clock, quick(casePlan(tasks, given)), acts, given.params), expected);
      });
    }
  }

  for (const [title, tasks, expected, given] of [
    [
      'an approval that nobody decides in time',
      'a: approval with {prompt: Go?, timeout: 1s, on_timeout: approve}; b: empty',
      'a=success b=success: success',
    ],
    ['a task on hold that nobody decides about', 'a: fail with {hold_on_failure: 1s}; b: empty', 'a=failed b=upstream_failed: failed'],
    [
      'dagrun_timeout',
      'a: hang; b: empty',
      'a=canceled b=canceled z=success: failed',
      { file: { dagrun_timeout: '1s' }, finally: 'z: empty' },
    ],
  ] satisfies Case[]) {
    it(`a real timer: ${title}`, async () => {
      assertCase(await runToys(worker, clock, casePlan(tasks, given ?? {}), []), expected);
    });
  }
});
