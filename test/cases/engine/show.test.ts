import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { decideApproval } from '../../../temporal/runs/decisions.ts';
import { cancelRun, operateTask } from '../../../temporal/runs/operations.ts';
import { describeRun, type RunReference, startManualRun } from '../../../temporal/runs/runs.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { eventually } from '../../support/eventually.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { sluice } from '../../support/processes.ts';
import { currentDetails } from '../../support/temporal-suite.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { testStack } from '../../support/test-stack.ts';
import { toyActivities } from '../../support/toy-activities.ts';
import { casePlan, type Given } from '../../workflows/run/language-cases.ts';

const TIME = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ';

interface Shown {
  readonly params: unknown;
  readonly startedBy: string;
  readonly repeats?: string;
  readonly acts: readonly { act: string; task?: string; by: string; reason?: string }[];
  readonly isExact: boolean;
  readonly tasks: readonly {
    task: string;
    state: string;
    output?: unknown;
    wait?: { prompt?: string; form?: unknown };
    failedItems?: { item: string; error: string }[];
  }[];
}

describe('sluice show', function () {
  this.timeout('1m');
  let worker: TestWorker;
  let environment: Record<string, string>;

  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal']));
    worker = await startTestWorker(environment, toyActivities);
    environment = { ...environment, SLUICE_TASK_QUEUE: worker.taskQueue };
  });
  after(() => worker.close());

  const newPlan = (tasks: string, given: Given = {}): Plan => ({
    ...casePlan(tasks, given),
    dagId: `shown_${randomBytes(4).toString('hex')}`,
  });
  const start = (plan: Plan, params?: Record<string, string>): Promise<RunReference> =>
    startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID(), params, 'ann');
  const show = async ({ pipelineRunId }: RunReference): Promise<{ text: string; json: Shown }> => {
    const [text, json] = await Promise.all([
      sluice(['show', pipelineRunId], environment),
      sluice(['show', pipelineRunId, '-o', 'json'], environment),
    ]);
    assert.equal(text.code, 0, text.stderr);
    return { text: text.stdout, json: JSON.parse(json.stdout) as Shown };
  };
  const becomes = (run: RunReference, state: string): Promise<void> =>
    eventually(async () => assert.equal((await describeRun(worker.client, run)).state, state));

  it('a run that waits: for whom, until when, the rendered question and its form, and how to answer', async () => {
    const form = '{properties: {reason: {type: string}, rows: {type: integer}}, required: [reason]}';
    const plan = newPlan(
      `ask: approval with {prompt: "Promote {{ params.model }}?", assignees: [ann, bob], quorum: 2, timeout: 2h, form: ${form}}; load: fail after - with {hold_on_failure: 1h}; s: ok after - with {give: {summary: "12 of 4,000 rows differ. All: s3://reports/x.csv"}}`,
      { file: { params: { model: 'm1', region: 'eu' } } },
    );
    const run = await start(plan, { model: 'm7' });
    await becomes(run, 'held');
    await decideApproval(worker.client, run.pipelineRunId, {
      task: 'ask',
      decision: 'approve',
      by: 'bob',
      comment: 'fine',
      form: { reason: 'x' },
    });
    const { text, json } = await show(run);
    const id = run.pipelineRunId;
    const details = await currentDetails(worker.client.workflow.getHandle(id));
    const { events } = await worker.client.workflow.getHandle(id).fetchHistory();
    const summaries = events?.map(({ userMetadata }) => Buffer.from(userMetadata?.summary?.data ?? []).toString());
    // What the Temporal UI shows without a worker.
    assert.ok(summaries?.includes('"ask: Promote m7? (asked: ann, bob)"'), summaries?.join('\n'));
    for (const line of [
      'waits for a decision:$',
      ' {2}ask {2}Promote m7\\? · asked: ann, bob · 1 of 2 votes · approve by bob$',
      `    since ${TIME}, until ${TIME}$`,
      ' {2}load {2}failed: the reason$',
    ])
      assert.match(details, new RegExp(`^${line}`, 'm'));
    for (const line of [
      `^${id} {2}held$`,
      '^parameters: model=m7, region=eu$',
      `^started ${TIME} by ann \\(manual\\)$`,
      '12 of 4,000 rows differ\\. All: s3://reports/x\\.csv',
      '^ {2}ask {2}Promote m7\\? · asked: ann, bob · 1 of 2 votes · approve by bob$',
      `^ {4}since ${TIME}, until ${TIME}: sluice decide ${id} ask approve\\|reject --form '\\{…\\}'$`,
      '^ {4}form: reason \\(string, required\\), rows \\(integer\\)$',
      '^ {2}load {2}failed: the reason$',
      `sluice decide ${id} load retry\\|skip\\|fail$`,
      `^ {2}${TIME} {2}approve ask by bob: fine \\(reason=x\\)$`,
      'ask +approval +deferred .* waits for approval: Promote m7\\?$',
    ])
      assert.match(text, new RegExp(line, 'm'));
    const ask = json.tasks.find(({ task }) => task === 'ask');
    assert.deepEqual(
      [json.params, json.startedBy, json.isExact, ask?.state, ask?.wait?.prompt, (ask?.wait?.form as { required: string[] }).required],
      [{ model: 'm7', region: 'eu' }, 'ann', true, 'deferred', 'Promote m7?', ['reason']],
    );
    await decideApproval(worker.client, id, { task: 'ask', decision: 'approve', by: 'ann', form: { reason: 'y' } });
    await becomes(run, 'held');
    await eventually(async () =>
      assert.match((await show(run)).text, /ask +approval +success .* Promote m7\? · approved by bob, ann: fine$/m),
    );
    await worker.client.workflow.getHandle(id).terminate('made way');
    await eventually(async () => assert.match((await show(run)).text, /terminate by .*: made way/));
  });

  it('who did what and why, also of a run that was cancelled', async () => {
    const run = await start(newPlan('a: hang with {heartbeat_timeout: 1s}; b: hang after - with {heartbeat_timeout: 1s}'));
    await eventually(() => operateTask(worker.client, run.pipelineRunId, 'skip', { task: 'a', by: 'bob', reason: 'not today' }));
    await cancelRun(worker.client, run.pipelineRunId, { by: 'ann', reason: 'wrong day' });
    await becomes(run, 'canceled');
    const { text, json } = await show(run);
    assert.match(text, /skip a by bob: not today\n.* cancel by ann: wrong day\n$/);
    assert.deepEqual(
      json.acts.map(({ act, task, by, reason }) => [act, task, by, reason]),
      [
        ['skip', 'a', 'bob', 'not today'],
        ['cancel', undefined, 'ann', 'wrong day'],
      ],
    );
    assert.deepEqual(
      json.tasks.map(({ state }) => state),
      ['skipped', 'canceled'],
    );
  });

  it('which items failed and why, and what a rerun repeats', async () => {
    const run = await start(
      newPlan('a: ok with {expand: {over: [1, 2, 3], on_item_failure: continue}, poison: "{{ item == 2 }}"}; b: fail'),
    );
    await becomes(run, 'failed');
    const { text, json } = await show(run);
    assert.match(text, /^a\[1\]: ok broke$/m);
    assert.match(text, /^failure: Task b failed: the reason \(1 of 2 tasks succeeded\)$/m);
    assert.deepEqual(json.tasks[0]?.failedItems, [{ item: '[1]', error: 'ok broke' }]);
    const rerun = await sluice(['rerun', run.pipelineRunId], environment);
    assert.equal(rerun.code, 0, rerun.stderr);
    const repeated = { pipelineRunId: rerun.stdout.trim(), temporalRunId: '' };
    await becomes(repeated, 'failed');
    const again = await show(repeated);
    assert.match(again.text, new RegExp(`^repeats ${run.pipelineRunId}$`, 'm'));
    assert.equal(again.json.repeats, run.pipelineRunId);
  });

  it('run --wait: only what failed has the sign of a failure', async () => {
    const folder = await temporaryFolder();
    const file = join(folder.path, 'x.yaml');
    const tasks = `
  - {name: a, type: empty, when: "false"}
  - {name: b, type: empty}
  - {name: c, type: empty, trigger_rule: all_done}
  - {name: d, type: approval, prompt: "Go?", timeout: 1s}`;
    await writeFile(file, `dag_id: shown_${randomBytes(4).toString('hex')}\ntasks:${tasks}\n`);
    const { code, stderr, stdout } = await sluice(['run', file, '--wait'], environment);
    assert.equal(code, 0, stderr);
    const signs = stderr.split('\n').flatMap((line) => /^([^…\s]) ([a-d])\b/.exec(line)?.slice(1, 3).join(' ') ?? []);
    assert.deepEqual(signs.sort(), ['– a', '– b', '– d', '✓ c'], stderr);
    assert.doesNotMatch(stderr + stdout, /[✗✘]/);
    await folder.remove();
  });

  it('the input of a run begins with its facts, not with its plan', async () => {
    const run = await start(newPlan('a: ok', { file: { params: { region: 'eu' } } }), { region: 'us' });
    const { events } = await worker.client.workflow.getHandle(run.pipelineRunId).fetchHistory();
    const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const keys = Object.keys(JSON.parse(Buffer.from(payload?.data ?? []).toString()) as object);
    assert.deepEqual(keys, ['cause', 'by', 'interval', 'params', 'plan']);
  });
});
