import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Environment } from '../../lib/environment.ts';
import type { Activities } from '../../temporal/worker/worker-process.ts';
import { listRuns, type RunSummary, startManualRun } from '../../temporal/runs/runs.ts';
import { applySensorChange } from '../../temporal/sensors/sensors.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RunInput, RunResult } from '../../workflows/plan/runs/run.ts';
import type { DataInterval } from '../../workflows/plan/timetable/schedule.ts';
import { type TriggerPlan } from '../../workflows/plan/trigger.ts';
import { SENSOR_QUERY, sensorId, type SensorState } from '../../workflows/plan/sensor.ts';
import { eventually } from './eventually.ts';
import { planOf, task } from './plans.ts';
import { startSensorWorker } from './sensor-worker.ts';
import type { TestWorker } from './temporal-worker.ts';

/** A unique word. */
export function unique(): string {
  return randomUUID().replaceAll('-', '').slice(0, 8);
}

/** A worker for sensors, with test helpers for plans that have one trigger. */
export class TestSensors {
  private readonly applied: Plan[] = [];

  private constructor(readonly worker: TestWorker) {}

  /** @param activities the worker's activities; absent: tasks that end as their names say */
  static async start(environment: Environment, activities?: Activities): Promise<TestSensors> {
    return new TestSensors(await startSensorWorker(environment, activities));
  }

  /** A plan with one successful task and one trigger. */
  plan(trigger: Pick<TriggerPlan, 'type' | 'source'> & Partial<TriggerPlan>, plan: Partial<Plan> = {}): Plan {
    const complete: TriggerPlan = { name: 'changes', mode: { kind: 'each' }, onInvalid: 'dead_letter', parallelism: 1, ...trigger };
    return planOf(`triggered_${unique()}`, [task('a', 'succeed')], { hash: unique(), triggers: [complete], ...plan });
  }

  idOf({ dagId, triggers }: Plan): string {
    return sensorId(dagId, triggers?.[0]?.name ?? '');
  }

  stateOf(plan: Plan): Promise<SensorState> {
    return this.worker.client.workflow.getHandle(this.idOf(plan)).query(SENSOR_QUERY);
  }

  apply(plan: Plan, action: 'start' | 'update' = 'start'): Promise<void> {
    this.applied.push(plan);
    const trigger = plan.triggers?.[0]?.name ?? '';
    return applySensorChange(this.worker.client, { id: this.idOf(plan), action, plan, trigger }, this.worker.taskQueue);
  }

  stop(plan: Plan): Promise<void> {
    return applySensorChange(this.worker.client, { id: this.idOf(plan), action: 'stop' }, this.worker.taskQueue);
  }

  /** Waits until the trigger has started exactly `count` runs; returns them sorted by id. */
  runsOf({ dagId, triggers }: Plan, count: number): Promise<RunSummary[]> {
    const [trigger] = triggers ?? [];
    return eventually(async () => {
      const found = (await listRuns(this.worker.client, 1000, dagId)).filter(({ cause }) => cause === trigger?.type);
      assert.equal(found.length, count);
      return found.sort((a, b) => (a.pipelineRunId < b.pipelineRunId ? -1 : 1));
    }, 30_000);
  }

  /** The ids of the runs without pipeline and cause. */
  async idsOf(plan: Plan, count: number): Promise<string[]> {
    const runs = await this.runsOf(plan, count);
    return runs.map(({ pipelineRunId }) => pipelineRunId.split('/').slice(2).join('/'));
  }

  async inputOf(run: string): Promise<RunInput> {
    const { events } = await this.worker.client.workflow.getHandle(run).fetchHistory();
    const payload = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
    return JSON.parse(Buffer.from(payload?.data ?? []).toString()) as RunInput;
  }

  resultOf(run: string): Promise<RunResult> {
    return this.worker.client.workflow.getHandle(run).result() as Promise<RunResult>;
  }

  /** Starts a manual run and waits until it ends, with any result. */
  async runBy(plan: Plan, id: string, interval: DataInterval): Promise<void> {
    const { client, taskQueue } = this.worker;
    const { pipelineRunId } = await startManualRun(client, plan, taskQueue, interval, id);
    await this.resultOf(pipelineRunId).catch(() => undefined);
  }

  /** Stops all remaining sensors and the worker. */
  async close(): Promise<void> {
    await Promise.all(this.applied.map((plan) => this.stop(plan)));
    await this.worker.close();
  }
}
