import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { decideApproval, resolveHeldTask } from '../../../temporal/runs/decisions.ts';
import { operateRun } from '../../../temporal/runs/operations.ts';
import { RunIndex } from '../../../temporal/runs/run-index.ts';
import { describeRun, listRuns, type RunReference, startManualRun, WAITING_RUNS } from '../../../temporal/runs/runs.ts';
import { eventually } from '../../support/eventually.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { sluice } from '../../support/processes.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { testStack } from '../../support/test-stack.ts';
import { toyActivities } from '../../support/toy-activities.ts';
import { casePlan } from '../../workflows/run/language-cases.ts';

const ASK = 'approval with {prompt: "Promote {{ params.model }}?", assignees: [ann, bob], quorum: 2, timeout: 2h}';

describe('runs that wait for people', function () {
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

  const start = (dagId: string, tasks: string): Promise<RunReference> => {
    const plan = { ...casePlan(tasks, { file: { params: { model: 'm7' } } }), dagId };
    return startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID());
  };
  const newDagId = (): string => `waiting_${randomBytes(4).toString('hex')}`;
  const becomes = (run: RunReference, state: string): Promise<void> =>
    eventually(async () => assert.equal((await describeRun(worker.client, run)).state, state));

  it('are shown as such while they wait; a pause by an operator comes first', async () => {
    const { client } = worker;
    const dagId = newDagId();
    const run = await start(dagId, `ask: ${ASK}; load: fail after - with {hold_on_failure: 1h}; after: ok after ask, load if all_done`);
    const { pipelineRunId } = run;
    await becomes(run, 'held');
    const memo = async (): Promise<readonly string[]> =>
      ((await describeRun(client, run)).waitsFor ?? []).map((line) => line.replace(/ \(since.*/, ''));
    await eventually(async () =>
      assert.deepEqual(new Set(await memo()), new Set(['ask: Promote m7? · asked: ann, bob', 'load: failed: the reason'])),
    );
    const index = new RunIndex(client);
    const seen = async (): Promise<string | undefined> => {
      await index.refresh(Date.now());
      return index.byPipeline().get(dagId)?.[0]?.run.state;
    };
    await eventually(async () => assert.equal(await seen(), 'held', 'monitors see it'));
    await operateRun(client, pipelineRunId, 'pause', { by: 'ann' });
    await becomes(run, 'paused');
    await operateRun(client, pipelineRunId, 'unpause', { by: 'ann' });
    await becomes(run, 'held');
    await resolveHeldTask(client, pipelineRunId, { task: 'load', action: 'skip', by: 'ann' });
    await becomes(run, 'approval');
    assert.deepEqual(await memo(), ['ask: Promote m7? · asked: ann, bob']);
    await eventually(async () => assert.equal(await seen(), 'approval'));
    for (const by of ['ann', 'bob']) await decideApproval(client, pipelineRunId, { task: 'ask', decision: 'approve', by });
    await client.workflow.getHandle(pipelineRunId).result();
    await becomes(run, 'success');
    assert.deepEqual(await memo(), []);
    await eventually(async () => assert.deepEqual(await listRuns(client, 10, dagId, WAITING_RUNS), []));
    const { typedSearchAttributes } = await client.workflow.getHandle(pipelineRunId).describe();
    assert.equal(typedSearchAttributes.getAll().find(({ key }) => key.name === 'SluiceState')?.value, undefined);
  });

  it('a run that waits for no one has no further event in its history', async () => {
    const run = await start(newDagId(), 'a: ok; b: ok');
    await worker.client.workflow.getHandle(run.pipelineRunId).result();
    const { events } = await worker.client.workflow.getHandle(run.pipelineRunId).fetchHistory();
    assert.ok(!events?.some((event) => event.markerRecordedEventAttributes ?? event.upsertWorkflowSearchAttributesEventAttributes));
  });

  it('sluice runs --waiting: which, for whom, since and until when', async () => {
    const dagId = newDagId();
    const asking = await start(dagId, `ask: ${ASK}`);
    const held = await start(dagId, 'load: fail with {hold_on_failure: 1h}');
    const working = await start(dagId, 'a: hang with {heartbeat_timeout: 1s}');
    await becomes(asking, 'approval');
    await becomes(held, 'held');
    await decideApproval(worker.client, asking.pipelineRunId, { task: 'ask', decision: 'approve', by: 'bob' });
    const { stdout, stderr } = await eventually(async () => {
      const shown = await sluice(['runs', dagId, '--waiting'], environment);
      assert.equal(shown.stdout.trim().split('\n').length, 3, shown.stdout + shown.stderr);
      return shown;
    });
    const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ';
    assert.match(
      stdout,
      new RegExp(
        `${asking.pipelineRunId} +ask +approval +${time} +${time} +Promote m7\\? · asked: ann, bob · 1 of 2 votes · approve by bob`,
      ),
    );
    assert.match(stdout, new RegExp(`${held.pipelineRunId} +load +held +${time} +${time} +failed: the reason`));
    // The server on PostgreSQL that the suite can be run on has no UI.
    if (environment.SLUICE_TEMPORAL_UI !== undefined) {
      const link = new URL(/^In the Temporal UI: (.*)$/m.exec(stderr)?.[1] ?? '');
      const query = link.searchParams.get('query');
      assert.equal(query, `SluicePipeline = "${dagId}" AND ExecutionStatus = "Running" AND SluiceState IN ("approval", "held")`);
      const listed = await fetch(`${link.origin}/api/v1/namespaces/default/workflows?query=${encodeURIComponent(query)}`);
      assert.equal(((await listed.json()) as { executions: unknown[] }).executions.length, 2, 'the UI takes it');
    }
    const json = JSON.parse((await sluice(['runs', dagId, '--waiting', '-o', 'json'], environment)).stdout) as {
      pipelineRunId: string;
      state: string;
      waits: { task: string; until: number }[];
    }[];
    assert.deepEqual(
      json.map(({ pipelineRunId, state, waits }) => [pipelineRunId, state, waits.map(({ task }) => task)]),
      [
        [held.pipelineRunId, 'held', ['load']],
        [asking.pipelineRunId, 'approval', ['ask']],
      ],
    );
    for (const { pipelineRunId } of [asking, held, working]) await worker.client.workflow.getHandle(pipelineRunId).terminate();
  });

  it('without a worker too: for whom, since and until when, as the run has written it down', async () => {
    const own = await startTestWorker(environment, toyActivities);
    const dagId = newDagId();
    const plan = { ...casePlan(`ask: ${ASK}`, { file: { params: { model: 'm7' } } }), dagId };
    const run = await startManualRun(own.client, plan, own.taskQueue, SOME_DAY, 'x');
    await becomes(run, 'approval');
    await own.close();
    const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ';
    const words = `ask: Promote m7\\? · asked: ann, bob \\(since ${time}, until ${time}\\)`;
    const settings = { ...environment, SLUICE_TASK_QUEUE: own.taskQueue };
    const [listed, shown] = await Promise.all([sluice(['runs', dagId, '--waiting'], settings), sluice(['show', dagId], settings)]);
    assert.match(listed.stdout, new RegExp(`^${run.pipelineRunId} +approval +${words}$`, 'm'));
    assert.match(listed.stderr, /No worker responds for some runs, so votes are not shown\./);
    assert.match(shown.stdout, new RegExp(`^waits for a decision:\n {2}${words}$`, 'm'));
    await worker.client.workflow.getHandle(run.pipelineRunId).terminate();
  });

  it('a dag_id is enough where only one run fits', async () => {
    const dagId = newDagId();
    const asking = await start(dagId, `ask: ${ASK}`);
    await becomes(asking, 'approval');
    const working = await start(dagId, 'a: hang with {heartbeat_timeout: 1s}; b: hang after - with {heartbeat_timeout: 1s}');
    await eventually(async () => assert.equal((await listRuns(worker.client, 10, dagId, 'ExecutionStatus = "Running"')).length, 2));
    const voted = await sluice(['decide', dagId, 'ask', 'reject', '--as', 'ann'], environment);
    assert.equal(voted.code, 0, voted.stderr);
    await worker.client.workflow.getHandle(asking.pipelineRunId).result();
    await eventually(async () => assert.equal((await listRuns(worker.client, 10, dagId, 'ExecutionStatus = "Running"')).length, 1));
    const skipped = await sluice(['skip', dagId, 'a'], environment);
    assert.equal(skipped.code, 0, skipped.stderr);
    const nothing = await sluice(['rerun', dagId], environment);
    assert.match(nothing.stderr, /has no unsuccessful run\. The newest, /);
    const cancelled = await sluice(['cancel', dagId, '--reason', 'wrong day'], environment);
    assert.equal(cancelled.code, 0, cancelled.stderr);
    await becomes(working, 'canceled');
    await eventually(async () => assert.equal((await sluice(['rerun', dagId, '--dry-run'], environment)).code, 0));
    const none = await sluice(['cancel', dagId], environment);
    assert.deepEqual([none.code, /has no open run\. The newest, '.*', has ended: canceled\./.test(none.stderr)], [1, true], none.stderr);
    const two = await Promise.all([1, 2].map(() => start(dagId, `ask: ${ASK}`)));
    for (const run of two) await becomes(run, 'approval');
    const unclear = await eventually(async () => {
      const answer = await sluice(['decide', dagId, 'ask', 'approve'], environment);
      assert.match(answer.stderr, /2 runs of '.*' wait for a decision: name one of them, such as /);
      return answer;
    });
    assert.equal(unclear.code, 1);
    for (const { pipelineRunId } of two) await worker.client.workflow.getHandle(pipelineRunId).terminate();
  });

  it('commands on a run that has ended say that it has ended, and one that is not there that it is not', async () => {
    const run = await start(newDagId(), 'a: ok');
    const { pipelineRunId } = run;
    await worker.client.workflow.getHandle(pipelineRunId).result();
    for (const args of [
      ['cancel'],
      ['pause'],
      ['skip', 'a'],
      ['retry', 'a'],
      ['mark-success', 'a'],
      ['decide', 'a', 'approve'],
      ['decide', 'a', 'retry'],
    ]) {
      const [command = '', ...rest] = args;
      const ended = await sluice([command, pipelineRunId, ...rest], environment);
      assert.match(ended.stderr, /^Run '.*' has ended \(success, .*\): nothing about it can be changed\. `sluice show/, args.join(' '));
      assert.equal(ended.code, 1);
    }
    const nowhere = await sluice(['cancel', 'nobody/manual/1'], environment);
    assert.match(nowhere.stderr, /^There is no run 'nobody\/manual\/1'\./);
    const wrong = await sluice(['decide', pipelineRunId, 'a', 'maybe'], environment);
    assert.match(wrong.stderr, /Allowed choices are approve, reject, retry, skip, fail/);
  });

  it('runs of a pipeline that does not exist: said, with the nearest', async () => {
    const { code, stderr } = await sluice(['runs', 'product_category_elt'], environment);
    assert.deepEqual(
      [code, stderr.split('\n')[0]],
      [1, "Pipeline 'product_category_elt' does not exist. Did you mean 'product_category_etl'?"],
    );
    const never = await sluice(['runs', 'daily_product_sales_analysis'], environment);
    assert.equal(never.code, 0);
  });

  it('a port that refuses answers within 2 s of the start of the command', async () => {
    const began = performance.now();
    const idle = await sluice(['runs', '--help'], environment);
    const startMs = performance.now() - began;
    assert.equal(idle.code, 0);
    const asked = performance.now();
    const { code, stderr } = await sluice(['runs'], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    assert.ok(performance.now() - asked - startMs < 2_000, `${performance.now() - asked} ms, ${startMs} ms of them to start`);
    assert.equal(code, 4);
    assert.match(stderr, /No Temporal server answers at 127\.0\.0\.1:1: .*ECONNREFUSED/);
  });
});
