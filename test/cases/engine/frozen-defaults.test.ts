import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import Type from 'typebox';
import { after, before, describe, it } from 'mocha';
import { stringify } from 'yaml';
import { CATALOG } from '../../../activities/catalog.ts';
import { defineTask, type TaskType } from '../../../activities/define-task.ts';
import { Compiler } from '../../../compiler/compile.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import type { TaskInput } from '../../../workflows/plan/tasks/task-input.ts';
import { compiler } from '../../support/compiler.ts';
import { eventually } from '../../support/eventually.ts';
import { heartbeatUntil } from '../../support/heartbeat-until.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { testStack } from '../../support/test-stack.ts';
import { Context } from '@temporalio/activity';

/** A release of a task type. */
const release = (size: number, timeout: string): TaskType =>
  defineTask({
    type: 'sized',
    description: 'A toy.',
    summary: () => 'sized',
    params: Type.Object({ size: Type.Optional(Type.Integer({ default: size })) }),
    defaults: { execution_timeout: timeout, heartbeat_timeout: timeout },
    result: Type.Any(),
    connections: {},
    example: { name: 'toy', type: 'sized' },
    run: async () => null,
  });

function compiled(types: readonly TaskType[]): Plan {
  const text = stringify({
    dag_id: 'frozen',
    tasks: [
      { name: 'a', type: 'sized' },
      { name: 'b', type: 'sized' },
      { name: 'c', type: 'sized', size: 7 },
    ],
  });
  const [{ plan, diagnostics } = { diagnostics: [] }] = new Compiler(types).compileAll([{ file: 'frozen.yaml', text }]);
  assert.deepEqual(diagnostics, []);
  assert.ok(plan);
  return plan;
}

describe('defaults of task types', function () {
  this.timeout('1m');
  let worker: TestWorker;
  let open = false;
  before(async function () {
    this.timeout('15m');
    const sized = async ({ params }: TaskInput): Promise<unknown> => {
      await heartbeatUntil(() => open);
      return [params.size, Context.current().info.startToCloseTimeoutMs];
    };
    worker = await startTestWorker((await testStack(['temporal'])).environment, { sized });
  });
  after(() => worker.close());

  it('are part of the plan: a run in flight keeps them when a release changes them, and a new run has the new ones', async () => {
    const start = async (plan: Plan) => {
      const { pipelineRunId } = await startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID());
      return worker.client.workflow.getHandle(pipelineRunId);
    };
    const inFlight = await start(compiled([release(10, '20s')]));
    await eventually(async () => assert.ok((await inFlight.describe()).raw.pendingActivities?.length));
    const changed = await start(compiled([release(99, '30s')]));
    open = true;
    const outputs = async (handle: typeof inFlight): Promise<unknown[]> => {
      const { tasks } = (await handle.result()) as RunResult;
      return ['a', 'b', 'c'].map((name) => tasks[name]?.output);
    };
    assert.deepEqual(await outputs(inFlight), [
      [10, 20_000],
      [10, 20_000],
      [7, 20_000],
    ]);
    assert.deepEqual(await outputs(changed), [
      [99, 30_000],
      [99, 30_000],
      [7, 30_000],
    ]);
  });

  it('every default that a built-in task type declares is in the plan of its example', () => {
    for (const type of CATALOG) {
      const declared = Object.entries(type.params.properties as Record<string, { default?: unknown }>).filter(
        ([, field]) => field.default !== undefined,
      );
      if (declared.length === 0) continue;
      const [{ plan } = {}] = compiler.compileAll([
        { file: 'example.yaml', text: stringify({ dag_id: 'example', tasks: [type.example] }) },
      ]);
      const task = plan?.tasks.find(({ name }) => name === (type.example as { name: string }).name);
      if (!task) continue;
      for (const [key, field] of declared) {
        const own = (type.example as Record<string, unknown>)[key];
        assert.deepEqual(task.params[key], own ?? field.default, `${type.type}.${key}`);
      }
    }
  });
});
