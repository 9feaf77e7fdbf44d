import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { ApplicationFailure, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { after, before, describe, it } from 'mocha';
import { createActivities } from '../../../activities/run/create-activities.ts';
import { simulate } from '../../../cli/test/simulate.ts';
import { ROOT } from '../../../lib/environment.ts';
import { dataConverterFrom } from '../../../temporal/codec/codec.ts';
import { connectWorker } from '../../../temporal/worker/connect-worker.ts';
import { resizePool } from '../../../temporal/pools/pools.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { poolId, slotsIdIn } from '../../../workflows/plan/slots/slot-messages.ts';
import { eventually } from '../../support/eventually.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { taskDependencies } from '../../support/task-dependencies.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { testStack } from '../../support/test-stack.ts';
import { toyAttempt, TOYS } from '../../support/toy-language.ts';
import { type HostCase, type HostKey, PLAN_FIELDS, TASK_FIELDS } from '../../workflows/run/host-keys.ts';
import { assertCase, casePlan } from '../../workflows/run/language-cases.ts';

const unique = randomUUID().slice(0, 8);
const FIELDS: readonly (readonly [field: string, key: HostKey])[] = Object.entries({ ...PLAN_FIELDS, ...TASK_FIELDS });

const planOfCase = ({ tasks, given }: HostCase): Plan =>
  casePlan(tasks.replace(/\b(one_slot|one_at_a_time)\b/g, `$1_${unique}`), given ?? {});

function assertTime({ took }: HostCase, ms: number): void {
  if (took) assert.ok(took[0] <= ms && ms < took[1], `${ms} ms, and not from ${took[0]} to ${took[1]}`);
}

/** States alone: a simulated task and one on a worker trace different things. */
function assertEnd(result: RunResult, expected: string): void {
  const tasks = Object.fromEntries(
    Object.entries(result.tasks).map(([name, task]) => [name, expected.includes(`${name}=success=`) ? task : { ...task, output: null }]),
  );
  assertCase({ ...result, tasks }, expected);
}

describe('what a plan says is carried out by both hosts', () => {
  describe('in the simulation', () => {
    for (const [field, key] of FIELDS) {
      if (!('cases' in key)) continue;
      for (const each of key.cases) {
        const expected = 'simulated' in key ? key.simulated : each.expect;
        it(`${field}: ${each.tasks}`, async () => {
          const { result, attempts, tookMs } = await simulate(planOfCase(each), {
            interval: SOME_DAY,
            script: ({ task, input }, attempt) => toyAttempt(task.type, input, attempt),
          });
          assertEnd(result, expected);
          if ('simulated' in key) return;
          if (each.attempts !== undefined) assert.equal(attempts.get('a'), each.attempts);
          assertTime(each, tookMs);
        });
      }
    }
  });

  describe('on Temporal', function () {
    this.timeout('1m');
    const runs = new Map<HostCase, WorkflowHandle>();
    let worker: TestWorker;
    let close: () => Promise<void>;

    before(async function () {
      this.timeout('15m');
      const { environment } = await testStack(['temporal']);
      const mute = (): Promise<void> => Context.current().sleep('1h');
      const activities = { ...createActivities(TOYS, taskDependencies(environment)), mute };
      worker = await startTestWorker(environment, activities);
      await resizePool(worker.client, worker.taskQueue, `one_at_a_time_${unique}`, 1);
      for (const each of FIELDS.flatMap(([, key]): readonly HostCase[] => ('cases' in key ? key.cases : []))) {
        const { pipelineRunId } = await startManualRun(worker.client, planOfCase(each), worker.taskQueue, SOME_DAY, randomUUID());
        runs.set(each, worker.client.workflow.getHandle(pipelineRunId));
      }
      // Which of several goes first is seen when all wait.
      const [urgent] = TASK_FIELDS.priority.cases;
      await eventually(async () => assert.equal((await runs.get(urgent)?.describe())?.raw.pendingActivities?.length, 3));
      const { connection, namespace } = await connectWorker(environment);
      const taskQueue = `one_slot_${unique}`;
      const slow = await Worker.create({
        connection,
        namespace,
        taskQueue,
        dataConverter: dataConverterFrom(environment),
        activities,
        maxConcurrentActivityTaskExecutions: 1,
      });
      const running = slow.run();
      close = async () => {
        slow.shutdown();
        await running;
        await connection.close();
        await worker.client.workflow.getHandle(slotsIdIn(worker.taskQueue, poolId(`one_at_a_time_${unique}`))).terminate();
        await worker.close();
      };
    });
    after(() => close());

    const resultOf = async (run: WorkflowHandle): Promise<RunResult> => {
      try {
        return (await run.result()) as RunResult;
      } catch (error) {
        assert.ok(error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure, String(error));
        return error.cause.details?.[0] as RunResult;
      }
    };

    for (const [field, key] of FIELDS) {
      if (!('cases' in key)) continue;
      for (const each of key.cases) {
        it(`${field}: ${each.tasks}`, async () => {
          const run = runs.get(each) ?? assert.fail('It was started.');
          const result = await resultOf(run);
          assertEnd(result, each.expect);
          each.check?.(result);
          const { startTime, closeTime } = await run.describe();
          assertTime(each, (closeTime?.getTime() ?? 0) - startTime.getTime());
          if (each.attempts === undefined) return;
          const { events = [] } = await run.fetchHistory();
          const children = events?.filter(({ startChildWorkflowExecutionInitiatedEventAttributes: started }) => started);
          if (children?.length) return assert.equal(children.length, each.attempts);
          const last = events?.findLast(({ activityTaskStartedEventAttributes: started }) => started);
          assert.equal(last?.activityTaskStartedEventAttributes?.attempt, each.attempts);
        });
      }
    }

    it('summary: the Temporal UI shows it beside the task', async () => {
      const [each] = TASK_FIELDS.params.cases;
      const { events } = (await runs.get(each)?.fetchHistory()) ?? {};
      const scheduled = events?.find(({ activityTaskScheduledEventAttributes }) => activityTaskScheduledEventAttributes);
      assert.equal(Buffer.from(scheduled?.userMetadata?.summary?.data ?? []).toString(), '"a: ok"');
    });
  });

  it('what only Temporal carries out has a reason, and a test', () => {
    for (const [field, key] of FIELDS) {
      if (!('onlyOnTemporal' in key)) continue;
      assert.ok(key.onlyOnTemporal.length > 10, field);
      if ('testedIn' in key)
        assert.ok(readFileSync(join(ROOT, key.testedIn), 'utf8').includes(key.word), `${key.testedIn} tests ${key.word}`);
    }
  });
});
