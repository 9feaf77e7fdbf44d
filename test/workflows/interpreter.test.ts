import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ApplicationFailure, CancelledFailure, WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { followRun } from '../../temporal/runs/follow-run.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { DECIDE, type HeldDecision, RESOLVE_HELD } from '../../workflows/plan/runs/decision.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { eventually } from '../support/eventually.ts';
import { planOf, SOME_DAY, task } from '../support/plans.ts';
import { startedTasks, toyActivities } from '../support/toy-activities.ts';
import { currentDetails } from '../support/temporal-suite.ts';
import { startTestWorker, type TestWorker } from '../support/temporal-worker.ts';
import { testStack } from '../support/test-stack.ts';
import { assertCase, casePlan, CASES } from './run/language-cases.ts';

/** The SDK sends heartbeats on after 80 % of this. */
const QUICK = { heartbeatTimeoutMs: 1000 };

describe('interpreter', () => {
  let worker: TestWorker;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal']);
    worker = await startTestWorker({ ...environment, SLUICE_TEMPORAL_UI: 'http://127.0.0.1:8233/' }, toyActivities);
  });
  after(() => worker.close());

  async function run(plan: Plan, params?: JsonObject): Promise<{ result: RunResult; error?: ApplicationFailure }> {
    const { pipelineRunId } = await startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID(), params);
    try {
      return { result: (await worker.client.workflow.getHandle(pipelineRunId).result()) as RunResult };
    } catch (error) {
      assert.ok(error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure, String(error));
      if (!error.cause.details?.length) throw error.cause;
      return { result: error.cause.details[0] as RunResult, error: error.cause };
    }
  }

  describe('does on Temporal what the simulation says', () => {
    for (const [subject, cases] of Object.entries(CASES)) {
      for (const [title, tasks, expected, given = {}] of cases) {
        // What takes hours, and what people do, has tests of its own below.
        if (/\b(slow|flaky|approval|hold_on_failure|takes)\b/.test(tasks) || given.cancel !== undefined) continue;
        it(`${subject}: ${title}`, async () => assertCase((await run(casePlan(tasks, given), given.params)).result, expected));
      }
    }
  });

  it('names the task that failed and why', async () => {
    const { error } = await run(planOf('why', [task('good', 'succeed'), task('bad', 'fail', ['good'])]));
    assert.equal(error?.type, 'PipelineFailed');
    assert.equal(error?.message, 'Task bad failed: the reason (1 of 2 tasks succeeded)');
  });

  it('has one line that JSON shows as it is; the task has all of the reason', async () => {
    const { error, result } = await run(planOf('why', [task('bad', 'fail_in_lines')]));
    assert.equal(error?.message, "Task bad failed: relation 'sales' does not exist (0 of 1 tasks succeeded)");
    assert.equal(JSON.stringify(error.message), `"${error.message}"`);
    assert.equal(result.tasks.bad?.error, 'relation "sales" does not exist\nLINE 1: SELECT * FROM "sales"');
  });

  it('gives the handlers of a failed run the address of its page', async () => {
    const plan = casePlan('a: ok with {poison: true}', { on_failure: 'tell: ok with {give: "{{ failure.run_url }}"}' });
    const { result } = await run(plan);
    const page = /^http:\/\/127\.0\.0\.1:8233\/namespaces\/\w+\/workflows\/toys%2Fmanual%2F[\w-]+\/[\w-]{36}\/history$/;
    assert.match(String(result.tasks.tell?.output), page);
  });

  it('forgives a task that may fail', async () => {
    const { result } = await run(planOf('forgiving', [task('a', 'fail', [], { allowFailure: true })]));
    assert.deepEqual([result.state, result.tasks.a?.state], ['success', 'failed']);
  });

  it('hands data from task to task, by interval', async () => {
    const { result } = await run(
      planOf('handover', [
        task('make', 'make_data', [], { outputBase: 's3://b/handover/make' }),
        task('take', 'tell_input', ['make'], { inputFrom: 'make' }),
      ]),
    );
    const data = { uri: 's3://b/handover/make/20240101T000000Z/', rows: 3, bytes: 12 };
    assert.deepEqual(result.tasks.take?.output, { input: data, interval: SOME_DAY });
  });

  it('ends a run that takes too long as failed', async () => {
    const { result, error } = await run(planOf('slow', [task('a', 'hang', [], QUICK), task('b', 'succeed', ['a'])], { runTimeoutMs: 500 }));
    assert.equal(error?.type, 'DagrunTimeout');
    assert.equal(error.message, 'The run took longer than its dagrun_timeout of 500ms: it was at a');
    assert.deepEqual([result.tasks.a?.state, result.tasks.b?.state], ['canceled', 'canceled']);
  });

  it('cancels running tasks with the run, and starts no others', async () => {
    const plan = planOf('cancelled', [task('a', 'hang', [], QUICK), task('never', 'succeed', ['a'])]);
    const reference = await startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID());
    const states: string[] = [];
    const end = await followRun(
      worker.client,
      reference,
      {
        task({ task: name, state }) {
          if (states.at(-1) !== `${name} ${state}`) states.push(`${name} ${state}`);
          if (name === 'a' && state === 'running') void worker.client.workflow.getHandle(reference.pipelineRunId).cancel();
        },
      },
      AbortSignal.timeout(30_000),
    );
    assert.equal(end.state, 'canceled');
    assert.deepEqual(
      states.filter((line) => line.endsWith('canceled')),
      ['a canceled', 'never canceled'],
    );
    assert.ok(!startedTasks.includes('never'));
  });

  it('shows the tasks and their states as current details', async () => {
    const { client } = worker;
    const { pipelineRunId } = await startManualRun(
      client,
      planOf('details', [task('a', 'make_data')]),
      worker.taskQueue,
      SOME_DAY,
      randomUUID(),
    );
    await client.workflow.getHandle(pipelineRunId).result();
    assert.match(await currentDetails(client.workflow.getHandle(pipelineRunId)), /1 of 1 tasks done[^]*✔ a {2}success {3}3 rows, 12 B/);
  });

  it('is found by its deadline, where its pipeline has an SLA', async () => {
    const promised = planOf('promised', [task('a', 'succeed')], {
      slas: [{ name: 'in_time', promise: { kind: 'within', ms: 3_600_000, reference: 'data_interval_end' }, suppressWhen: [] }],
    });
    const { pipelineRunId } = await startManualRun(worker.client, promised, worker.taskQueue, SOME_DAY, randomUUID());
    const handle = worker.client.workflow.getHandle(pipelineRunId);
    await handle.result();
    const { typedSearchAttributes } = await handle.describe();
    const deadline = typedSearchAttributes.getAll().find(({ key }) => key.name === 'SluiceDueBy')?.value;
    assert.equal(deadline, '2024-01-02T01:00:00Z');
    const due = (condition: string): Promise<number> =>
      worker.client.workflow.count(`WorkflowId = "${pipelineRunId}" AND SluiceDueBy ${condition}`).then(({ count }) => count);
    await eventually(async () => assert.equal(await due('IS NOT NULL'), 1));
    assert.deepEqual(
      [await due('< "2024-01-02T01:00:01Z"'), await due('< "2024-01-02T01:00:00Z"'), await due('BETWEEN "2024-01-02" AND "2024-01-03"')],
      [1, 0, 1],
    );
  });

  it('costs a plain chain no more history than a hand-written workflow', async () => {
    const names = ['a', 'b', 'c'];
    const plan = planOf(
      'cost',
      names.map((name, index) => task(name, 'succeed', names.slice(Math.max(0, index - 1), index))),
    );
    const { pipelineRunId } = await startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID());
    await worker.client.workflow.getHandle(pipelineRunId).result();
    const { events } = await worker.client.workflow.getHandle(pipelineRunId).fetchHistory();
    // Start, the first workflow task (3), then 3 + 3 events a task, and the end.
    assert.equal(events?.length, 1 + 3 + names.length * 6 + 1);
  });

  describe('people', () => {
    const start = async (tasks: string, given = {}) => {
      const { pipelineRunId } = await startManualRun(worker.client, casePlan(tasks, given), worker.taskQueue, SOME_DAY, randomUUID());
      return worker.client.workflow.getHandle(pipelineRunId);
    };

    it('approve, with a form, after those who may not were refused', async () => {
      const handle = await start(
        'ask: approval with {prompt: Go?, assignees: [ann], form: {properties: {why: {type: string}}, required: [why]}}; b: ok with {give: "{{ outputs.ask.form.why }}"}',
      );
      const vote = (by: string, form: JsonObject) =>
        handle.executeUpdate(DECIDE, { args: [{ task: 'ask', decision: 'approve', by, comment: 'seen', form }] });
      const refused = async (work: Promise<unknown>): Promise<string> => {
        const error = await work.then(
          () => assert.fail('it was taken'),
          (reason: unknown) => reason,
        );
        assert.ok(error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure, String(error));
        return error.cause.message;
      };
      // Before the run has come to it, it does not wait yet.
      await eventually(async () =>
        assert.match(await refused(vote('eve', { why: 'x' })), /'eve' is not asked to decide on 'ask'; asked are: ann/),
      );
      assert.match(await refused(vote('ann', {})), /'form.why' is missing/);
      assert.equal(await vote('ann', { why: 'fine' }), 'approve by ann');
      const { tasks } = (await handle.result()) as RunResult;
      assert.deepEqual(tasks.ask, {
        state: 'success',
        output: { decision: 'approve', by: ['ann'], comments: ['seen'], form: { why: 'fine' }, prompt: 'Go?' },
        note: 'approved by ann: seen',
      });
      assert.equal(tasks.b?.output, 'fine');
    });

    it('retry, then skip, a task that is held', async () => {
      const handle = await start('a: fail with {hold_on_failure: 1h}; b: ok after a if none_failed');
      const decide = (action: HeldDecision['action']) =>
        eventually(() => handle.executeUpdate(RESOLVE_HELD, { args: [{ task: 'a', action, by: 'ann', reason: 'because' }] }));
      assert.equal(await decide('retry'), 'retry by ann');
      assert.equal(await decide('skip'), 'skip by ann');
      const { tasks, state } = (await handle.result()) as RunResult;
      assert.deepEqual([state, tasks.a?.state, tasks.a?.note, tasks.b?.state], ['success', 'skipped', 'skip by ann: because', 'success']);
      const { events } = await handle.fetchHistory();
      const ids = events?.flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityId ?? []);
      assert.deepEqual(ids, ['a', 'a#2', 'b']);
    });

    it('are in time or not: an approval rejects itself', async () => {
      const handle = await start('ask: approval with {prompt: Go?, timeout: 1s}; b: ok');
      const { tasks } = (await handle.result()) as RunResult;
      assert.deepEqual([tasks.ask?.state, tasks.ask?.note, tasks.b?.state], ['skipped', 'rejected by time-out', 'skipped']);
    });

    it('cancel a run: its child ends too, and finally runs', async () => {
      const handle = await start('p: run_pipeline with {dag_id: child}; b: ok', {
        pipelines: { child: 'x: hang with {heartbeat_timeout: 1s}' },
        finally: 'clean: ok',
      });
      const child = worker.client.workflow.getHandle(`child/pipeline/${handle.workflowId}/p`);
      await eventually(async () => assert.ok((await child.describe()).raw.pendingActivities?.length));
      await handle.cancel();
      await assert.rejects(handle.result(), (error) => error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure);
      assert.equal((await child.describe()).status.name, 'CANCELLED');
      const { events } = await handle.fetchHistory();
      assert.ok(events?.some(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityId === 'clean'));
    });
  });

  it('refuses invalid parameters, and names them', async () => {
    const plan = casePlan('a: ok', { file: { params: { n: { type: 'integer', minimum: 1, default: 1 } } } });
    await assert.rejects(run(plan, { n: 0, m: 1 }), (error: Error) => {
      assert.match(error.message, /'n' must be at least 1, not 0\. 'toys' declares no parameter 'm'; declared: n/);
      return true;
    });
  });
});
