import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { stringify } from 'yaml';
import { CATALOG } from '../../../activities/catalog.ts';
import { createActivities } from '../../../activities/run/create-activities.ts';
import { connectClient } from '../../../temporal/connect.ts';
import { decideApproval } from '../../../temporal/runs/decisions.ts';
import { showRun } from '../../../temporal/runs/follow-run.ts';
import { createRunLookup } from '../../../temporal/runs/run-lookup.ts';
import { type RunReference, startManualRun } from '../../../temporal/runs/runs.ts';
import { intervalOffset } from '../../../workflows/plan/timetable/interval-offset.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { dataIntervalAt } from '../../../workflows/plan/timetable/schedule.ts';
import { compiler } from '../../support/compiler.ts';
import { eventually } from '../../support/eventually.ts';
import { taskDependencies } from '../../support/task-dependencies.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { testStack } from '../../support/test-stack.ts';

const OTHER = {
  dag_id: 'other',
  schedule_interval: '@daily',
  tasks: [
    { name: 'load', type: 'empty' },
    { name: 'orders', type: 'empty', group: 'copy' },
  ],
};
const waiting = (keys: JsonObject) => [
  { name: 'wait', type: 'wait_for_pipeline', dag_id: 'other', ...keys },
  { name: 'then', type: 'empty' },
];
const compiled = (...files: JsonObject[]) =>
  compiler.compileAll(files.map((file, index) => ({ file: `${index}.yaml`, text: stringify(file) })));
const mistakesOf = (keys: JsonObject, other: JsonObject = OTHER): string[] =>
  compiled({ dag_id: 'mine', schedule_interval: '@daily', tasks: waiting(keys) }, other)
    .flatMap(({ diagnostics }) => diagnostics)
    .map(({ code, message, hint }) => `${code} ${message} ${hint ?? ''}`);

describe('wait_for_pipeline', () => {
  for (const keys of [
    { task: 'load' },
    { task: 'copy.orders', offset: '1d' },
    { offset: '-1h', interval: 'covering' },
    { offset: '1d12h', state: 'failed' },
    { dag_id: 'of_another_project', task: 'anything' },
  ]) {
    it(`takes ${JSON.stringify(keys)}`, () => assert.deepEqual(mistakesOf(keys), []));
  }

  for (const [keys, told] of [
    [{ task: 'laod' }, /^SL302 'other' has no task 'laod'\. did you mean 'load'\?/],
    [{ task: 'orders' }, /^SL302 'other' has no task 'orders'\. write copy\.orders/],
    [{ task: 'what' }, /^SL302 'other' has no task 'what'\. its tasks: load, copy\.orders/],
    [{ offset: 'yesterday' }, /offset.*a duration such as 1d/],
    [{ offset: '1 day' }, /offset.*a duration such as 1d/],
    [{ offset: '1d', interval: 'latest' }, /`interval: latest` is the run that was started last/],
    [{ external_task_id: 'load' }, /'task'/],
    [{ execution_delta: '1d' }, /'offset'/],
  ] as const) {
    it(`is warned about ${JSON.stringify(keys)}`, () => {
      const mistakes = mistakesOf(keys);
      assert.equal(mistakes.length, 1, mistakes.join('\n'));
      assert.match(mistakes[0] ?? '', told);
    });
  }

  it('closes no cycle where it waits for another interval or for one task', () => {
    const back = {
      ...OTHER,
      tasks: [
        { name: 'load', type: 'empty' },
        { ...waiting({})[0], name: 'back', dag_id: 'mine' },
        { name: 'z', type: 'empty' },
      ],
    };
    assert.match(mistakesOf({}, back).join(), /SL316/);
    assert.deepEqual(mistakesOf({ offset: '1d' }, back), []);
    assert.deepEqual(mistakesOf({ task: 'load' }, back), []);
  });

  it('warns of a name that is nearly that of a pipeline', () => {
    const found = (dagId: string, isTrigger: boolean): string[] => {
      const own = isTrigger
        ? `triggers: [{name: t, type: pipeline, dag_id: ${dagId}}]\ntasks: [{name: a, type: empty}]`
        : `tasks: [{name: w, type: wait_for_pipeline, dag_id: ${dagId}}, {name: a, type: empty}]`;
      const [first] = compiler.compileAll([
        { file: 'x.yaml', text: `dag_id: x\n${own}` },
        { file: 'y.yaml', text: 'dag_id: daily_sales\ntasks: [{name: a, type: empty}]' },
      ]);
      return (first?.diagnostics ?? []).map(({ code, severity, hint }) => `${severity} ${code} ${hint ?? ''}`);
    };
    for (const isTrigger of [true, false]) {
      assert.deepEqual(found('daily_sale', isTrigger), ["warning SL319 did you mean 'daily_sales'?"]);
      assert.deepEqual(found('daily_sales', isTrigger), []);
      assert.deepEqual(found('of_another_project', isTrigger), []);
    }
  });

  describe('offset', () => {
    const day = { start: '2024-03-31T23:00:00Z', end: '2024-04-01T22:00:00Z' };
    for (const [interval, offset, zone, start, end] of [
      [{ start: '2024-05-02T00:00:00Z', end: '2024-05-03T00:00:00Z' }, '1d', 'UTC', '2024-05-01T00:00:00Z', '2024-05-02T00:00:00Z'],
      [{ start: '2024-05-02T00:00:00Z', end: '2024-05-03T00:00:00Z' }, '-90m', 'UTC', '2024-05-02T01:30:00Z', '2024-05-03T01:30:00Z'],
      [
        { start: '2024-03-31T22:00:00Z', end: '2024-04-01T22:00:00Z' },
        '1d',
        'Europe/Berlin',
        '2024-03-30T23:00:00Z',
        '2024-03-31T22:00:00Z',
      ],
      [{ start: '2024-03-31T22:00:00Z', end: '2024-04-01T22:00:00Z' }, '1d', 'UTC', '2024-03-30T22:00:00Z', '2024-03-31T22:00:00Z'],
      [day, '0s', 'Europe/Berlin', day.start, day.end],
    ] as const) {
      it(`${offset} before ${interval.start} in ${zone}`, () => assert.deepEqual(intervalOffset(interval, offset, zone), { start, end }));
    }
  });

  describe('on Temporal', function () {
    this.timeout('1m');
    let worker: TestWorker;
    before(async function () {
      this.timeout('15m');
      const { environment } = await testStack(['temporal']);
      const lookup = createRunLookup(await connectClient(environment));
      worker = await startTestWorker(environment, createActivities(CATALOG, taskDependencies(environment, lookup)));
    });
    after(() => worker.close());

    const start = (plan: Plan | undefined, day: number): Promise<RunReference> => {
      assert.ok(plan);
      const interval = dataIntervalAt(plan.schedule, Date.parse(`2024-05-0${day + 1}T00:00:00Z`));
      return startManualRun(worker.client, plan, worker.taskQueue, interval, interval.start);
    };
    const resultOf = async ({ pipelineRunId }: RunReference): Promise<RunResult> =>
      (await worker.client.workflow.getHandle(pipelineRunId).result()) as RunResult;

    it('waits for one task of the interval before, while the rest of that run continues; without a task, for its end', async () => {
      const other = `other_${randomUUID().slice(0, 8)}`;
      const tasks = (keys: JsonObject) => waiting({ dag_id: other, offset: '1d', poke_interval: '1s', timeout: '50s', ...keys });
      const plans = compiled(
        {
          ...OTHER,
          dag_id: other,
          tasks: [
            { name: 'load', type: 'empty' },
            { name: 'ask', type: 'approval', prompt: 'Go?' },
          ],
        },
        { dag_id: `task_${other}`, schedule_interval: '@daily', tasks: tasks({ task: 'load' }) },
        { dag_id: `run_${other}`, schedule_interval: '@daily', tasks: tasks({}) },
      ).map(({ plan }) => plan);
      const byTask = await start(plans[1], 2);
      const byRun = await start(plans[2], 2);
      await eventually(async () => {
        const { instances } = await showRun(worker.client, byTask);
        assert.equal(instances.get('wait')?.note, `${other} has no run for 2024-05-01T00:00:00Z – 2024-05-02T00:00:00Z.`);
      });
      const awaited = await start(plans[0], 1);
      assert.equal((await resultOf(byTask)).tasks.wait?.state, 'success');
      await eventually(async () => {
        const { instances } = await showRun(worker.client, byRun);
        assert.match(instances.get('wait')?.note ?? '', /is approval, not success/);
      });
      await decideApproval(worker.client, awaited.pipelineRunId, { task: 'ask', decision: 'approve', by: 'ann' });
      assert.deepEqual((await resultOf(byRun)).tasks.wait?.output, { run_id: awaited.pipelineRunId });
    });
  });
});
