import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { createActivities } from '../../../activities/run/create-activities.ts';
import { Compiler } from '../../../compiler/compile.ts';
import { listPools, resizePool } from '../../../temporal/pools/pools.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { poolId, slotsIdIn } from '../../../workflows/plan/slots/slot-messages.ts';
import { type SlotRequest, Slots, type SlotState } from '../../../workflows/plan/slots/slots.ts';
import { stuckRequests } from '../../../workflows/plan/slots/stuck-requests.ts';
import { compiler } from '../../support/compiler.ts';
import { eventually } from '../../support/eventually.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { taskDependencies } from '../../support/task-dependencies.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { testStack } from '../../support/test-stack.ts';
import { TOYS } from '../../support/toy-language.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { casePlan } from '../../workflows/run/language-cases.ts';

const unique = randomUUID().slice(0, 8);

describe('runs that a task starts', function () {
  this.timeout('1m');
  let worker: TestWorker;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal']);
    worker = await startTestWorker(environment, createActivities(TOYS, taskDependencies(environment)));
  });
  after(() => worker.close());

  async function start(tasks: string, child: string, childKeys: JsonObject): Promise<string> {
    const pipelines = { [child]: { tasks: [{ name: 'x', type: 'hang' }], ...childKeys } };
    const plan = casePlan(tasks.replaceAll('child', child), { pipelines });
    return (await startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID())).pipelineRunId;
  }

  async function failureOf(run: string): Promise<RunResult> {
    const error: unknown = await worker.client.workflow
      .getHandle(run)
      .result()
      .then(assert.fail, (failure: unknown) => failure);
    assert.ok(error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure, String(error));
    return error.cause.details?.[0] as RunResult;
  }

  it('a run that an operator cancels fails its task, and is not repeated; nor is a run that exceeds a limit a success', async () => {
    const child = `child_${unique}`;
    const keys = { concurrency: { limit: 1, on_overlap: 'cancel_new' } };
    const run = await start('a: run_pipeline with {dag_id: child, retries: 3, retry_delay: 50ms}', child, keys);
    const handle = worker.client.workflow.getHandle(`${child}/pipeline/${run}/a`);
    await eventually(async () => assert.equal((await handle.describe()).raw.pendingActivities?.length, 1), 20_000);
    const second = await failureOf(await start('a: run_pipeline with {dag_id: child}', child, keys));
    assert.equal(second.tasks.a?.error, `The run of '${child}' did not start: it exceeded the limit of active runs.`);
    await handle.cancel();
    const { tasks } = await failureOf(run);
    assert.deepEqual([tasks.a?.state, tasks.a?.error], ['failed', `The run of '${child}' was cancelled.`]);
  });

  for (const [title, work] of [
    ['a run', 'x: ok with {takes: 0ms}'],
    ['a long list of a run', `x: ok with {takes: 0ms, expand: {over: [${Array.from({ length: 1_001 }, (_, item) => item).join(', ')}]}}`],
  ] as const)
    it(`${title} that needs the slot of the task that waits for it fails, and gives it back`, async () => {
      const name = `pool_${unique}_${work.length}`;
      await resizePool(worker.client, worker.taskQueue, name, 1);
      const inPool = (plan: Plan): Plan => ({ ...plan, tasks: plan.tasks.map((task) => ({ ...task, pool: { name, slots: 1 } })) });
      const plan = casePlan('a: run_pipeline with {dag_id: needy}', { pipelines: { needy: work } });
      const started = await startManualRun(
        worker.client,
        { ...inPool(plan), pipelines: Object.fromEntries(Object.entries(plan.pipelines ?? {}).map(([id, child]) => [id, inPool(child)])) },
        worker.taskQueue,
        SOME_DAY,
        randomUUID(),
      );
      assert.match((await failureOf(started.pipelineRunId)).tasks.a?.error ?? '', /Task x failed: .*Deadlock in pool pool_/);
      const [pool] = (await listPools(worker.client)).filter((each) => each.name === name);
      assert.deepEqual([pool?.state?.holders, pool?.state?.waiting], [[], []]);
      await worker.client.workflow.getHandle(slotsIdIn(worker.taskQueue, poolId(name))).terminate();
    });

  it('two runs whose tasks hold a pool each, and need the pool of the other, do not wait forever: one fails', async () => {
    const [p, q] = [`circle_p_${unique}`, `circle_q_${unique}`];
    const runs: string[] = [];
    for (const name of [p, q]) await resizePool(worker.client, worker.taskQueue, name, 1);
    for (const [held, needed] of [
      [p, q],
      [q, p],
    ] as const) {
      const plan = casePlan(`a: run_pipeline with {dag_id: needy, pool: ${held}}`, {
        pipelines: { needy: `w: ok with {takes: 2s}; x: ok after w with {takes: 0ms, pool: ${needed}}` },
      });
      runs.push((await startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID())).pipelineRunId);
    }
    const ends = await Promise.allSettled(runs.map((run) => worker.client.workflow.getHandle(run).result()));
    assert.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const failed = runs[ends.findIndex(({ status }) => status === 'rejected')] ?? '';
    assert.match((await failureOf(failed)).tasks.a?.error ?? '', /Task x failed: Deadlock in pool circle_[pq]_/);
    for (const name of [p, q]) await worker.client.workflow.getHandle(slotsIdIn(worker.taskQueue, poolId(name))).terminate();
  });
});

describe('requests that wait in a cycle of pools', () => {
  const one = (key: string, behind: readonly string[] = []): SlotRequest => ({
    ...{ key, workflowId: key, runId: key, what: key, group: key, slots: 1, priority: 3, onOverlap: 'queue' },
    behind,
  });
  const pool = (holders: readonly SlotRequest[], waiting: readonly SlotRequest[], capacity = 1) => ({
    capacity,
    holders,
    waiting,
    served: [],
  });

  it('are found through two pools and three, and no others', () => {
    const keys = (pools: Readonly<Record<string, SlotState>>): string[] =>
      stuckRequests(new Map(Object.entries(pools))).map(({ request }) => request.key);
    assert.deepEqual(keys({ p: pool([one('a')], [one('d', ['b'])]), q: pool([one('b')], [one('c', ['a'])]) }), ['d', 'c']);
    assert.deepEqual(
      keys({ p: pool([one('a')], [one('f', ['c'])]), q: pool([one('b')], [one('d', ['a'])]), r: pool([one('c')], [one('e', ['b'])]) }),
      ['f', 'd', 'e'],
    );
    assert.deepEqual(keys({ p: pool([one('a')], [one('d', ['b'])], 2), q: pool([one('b')], [one('c', ['a'])]) }), [], 'there is room in p');
    assert.deepEqual(keys({ p: pool([one('a'), one('x')], [one('d', ['b'])], 2), q: pool([one('b')], [one('c', ['a'])]) }), [], 'x ends');
    assert.deepEqual(keys({ p: pool([one('a')], [one('b'), one('c')]) }), [], 'a ends');
  });
});

describe('tasks that wait in a pool for a run that needs the same pool', () => {
  const request = (key: string, behind: readonly string[] = []): SlotRequest => ({
    key,
    workflowId: key,
    runId: key,
    what: key,
    group: key,
    slots: 1,
    priority: 3,
    onOverlap: 'queue',
    behind,
  });

  it('are found by validate, through any number of pipelines', () => {
    const compiler = new Compiler(TOYS);
    const found = compiler.compileAll([
      { file: 'a.yaml', text: 'dag_id: a\ntasks: [{name: p, type: run_pipeline, dag_id: b, pool: small}]' },
      { file: 'b.yaml', text: 'dag_id: b\ntasks: [{name: q, type: run_pipeline, dag_id: c}]' },
      { file: 'c.yaml', text: 'dag_id: c\ntasks: [{name: x, type: ok, pool: small}]' },
      { file: 'd.yaml', text: 'dag_id: d\ntasks: [{name: p, type: run_pipeline, dag_id: b, pool: small, wait: false}]' },
      { file: 'e.yaml', text: 'dag_id: e\ntasks: [{name: p, type: run_pipeline, dag_id: b, pool: other}]' },
      { file: 'f.yaml', text: 'dag_id: f\ndefault_args: {pool: small}\ntasks: [{name: p, type: run_pipeline, dag_id: b}]' },
    ]);
    assert.deepEqual(
      found.map(({ diagnostics }) => diagnostics.map(({ code, line, column }) => `${code} ${line}:${column}`).join()),
      ['SL312 2:56', '', '', '', '', 'SL312 2:22'],
    );
    assert.match(found[0]?.diagnostics[0]?.message ?? '', /task 'x' of 'c' needs slots of the same pool/);
  });

  const found = (files: Readonly<Record<string, string>>): string[] =>
    compiler
      .compileAll(Object.entries(files).map(([name, text]) => ({ file: name, text: `dag_id: ${name}\n${text}` })))
      .flatMap(({ file, diagnostics }) =>
        diagnostics.flatMap(({ code, severity, message }) => (severity === 'error' ? [`${file} ${code} ${message}`] : [])),
      );
  const starts = (dagId: string, more = ''): string => `{name: to_${dagId}, type: run_pipeline, dag_id: ${dagId}${more}}`;
  const awaits = (dagId: string, more = ''): string => `{name: for_${dagId}, type: wait_for_pipeline, dag_id: ${dagId}${more}}`;
  const works = (pool: string): string => `{name: x, type: command, argv: [ls], pool: ${pool}}`;

  it('are found through lists, waits for pipelines, and through several pools', () => {
    const lists = found({ a: `tasks: [${starts('b', ', pool: p, expand: {over: [1, 2]}')}]`, b: `tasks: [${works('p')}]` });
    assert.match(
      lists.join(),
      /^a SL312 Task 'to_b' holds slots of pool 'p' while it waits for 'b', and task 'x' of 'b' needs slots of the same pool/,
    );
    const waits = found({ a: `tasks: [${awaits('b', ', pool: p')}]`, b: `tasks: [${starts('c')}]`, c: `tasks: [${works('p')}]` });
    assert.match(waits.join(), /^a SL312 Task 'for_b' holds slots of pool 'p' while it waits for 'b', and task 'x' of 'c' needs/);
    const [one = '', other = '', ...more] = found({
      a: `tasks: [${starts('c', ', pool: p')}]`,
      b: `tasks: [${starts('d', ', pool: q')}]`,
      c: `tasks: [${works('q')}]`,
      d: `tasks: [${works('p')}]`,
    });
    assert.equal(
      one,
      "a SL312 Task 'to_c' holds slots of pool 'p' while it waits for 'c', and task 'x' of 'c' needs slots of pool 'q'. Task 'to_d' of 'b' holds " +
        "slots of that pool while it waits for 'd', and task 'x' of 'd' needs slots of the first one. They can wait for each other indefinitely.",
    );
    assert.match(other, /^b SL312 Task 'to_d' holds slots of pool 'q'/);
    assert.deepEqual(more, []);
  });

  it('are not those whose path leads nowhere, or past a run that nothing waits for', () => {
    assert.deepEqual(
      found({ a: `tasks: [${starts('b', ', pool: p')}]`, b: `tasks: [${starts('c', ', wait: false')}]`, c: `tasks: [${works('p')}]` }),
      [],
    );
    assert.deepEqual(found({ a: `tasks: [${starts('c', ', pool: p')}]`, c: `tasks: [${works('q')}]`, d: `tasks: [${works('p')}]` }), []);
  });

  it('include pipelines that wait for the end of each other', () => {
    const circle = found({ a: `max_active_runs: 1\ntasks: [${starts('b')}]`, b: `tasks: [${starts('c')}]`, c: `tasks: [${awaits('a')}]` });
    assert.equal(circle.length, 3);
    for (const each of circle) assert.match(each, /^[abc] SL316 Runs of these pipelines wait for each other to end: [abc]( → [abc]){3}\.$/);
    assert.deepEqual(found({ a: `tasks: [${awaits('a')}]` }), [], 'a run of the same interval that came before it');
    assert.deepEqual(found({ a: `tasks: [${awaits('b')}]`, b: `tasks: [${awaits('a', ', interval: latest')}]` }), []);
  });

  it('are refused one by one, until one can continue', () => {
    const slots = new Slots({ capacity: 2, holders: [], waiting: [], served: [] });
    slots.request(request('p1'));
    slots.request(request('p2'));
    assert.deepEqual(slots.request(request('c1', ['p1'])), [], 'p2 may come to its end');
    const news = slots.request(request('c2', ['p2']));
    assert.deepEqual(
      news.map((each) => [each.kind, 'request' in each && each.request.key]),
      [['refused', 'c1']],
    );
    assert.deepEqual(
      slots.release('p1').map((each) => [each.kind, 'request' in each && each.request.key]),
      [['granted', 'c2']],
    );
  });

  it('wait as long as another holder may give its slot back', () => {
    const slots = new Slots({ capacity: 2, holders: [], waiting: [], served: [] });
    for (const key of ['p', 'other']) slots.request(request(key));
    assert.deepEqual(slots.request(request('c', ['p'])), []);
    assert.deepEqual(
      slots.release('other').map(({ kind }) => kind),
      ['granted'],
    );
  });
});
