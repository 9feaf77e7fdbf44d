import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { createPastActivities } from '../../../temporal/runs/past.ts';
import { RunIndex } from '../../../temporal/runs/run-index.ts';
import { runStart } from '../../../temporal/runs/run-start.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import { startBackfill } from '../../../temporal/schedules/backfills.ts';
import { pipelineName } from '../../../temporal/schedules/pipeline-name.ts';
import { applyChange } from '../../../temporal/schedules/schedules.ts';
import { fillTicks, listTicks, startScheduledRun } from '../../../temporal/schedules/ticks.ts';
import { applySensorChange, listRunningSensors } from '../../../temporal/sensors/sensors.ts';
import { Unchecked } from '../../../temporal/unchecked.ts';
import { nameIn, sensorId } from '../../../workflows/plan/ids.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import type { BackfillReport } from '../../../workflows/plan/runs/backfill.ts';
import type { DataInterval } from '../../../workflows/plan/timetable/schedule.ts';
import { compileYaml } from '../../support/compile-yaml.ts';
import { eventually } from '../../support/eventually.ts';
import { planOf, SOME_DAY, task } from '../../support/plans.ts';
import { startSensorWorker } from '../../support/sensor-worker.ts';
import type { TestWorker } from '../../support/temporal-worker.ts';
import { testStack } from '../../support/test-stack.ts';

const DAY = 86_400_000;
const daysAgo = (days: number): string => new Date(Math.floor(Date.now() / DAY - days) * DAY).toISOString().replace('.000Z', 'Z');
const dayBefore = (days: number): DataInterval => ({ start: daysAgo(days), end: daysAgo(days - 1) });

/** A deployment leaves runs and sensors under the names that its pipelines had, and another deployment may get such a name. */
describe('names that another deployment had before', function () {
  this.timeout('2m');
  const deployments: TestWorker[] = [];
  const both = (): [TestWorker, TestWorker] => {
    const [one, other] = deployments;
    assert.ok(one && other);
    return [one, other];
  };

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal']);
    for (let index = 0; index < 2; index++) deployments.push(await startSensorWorker(environment));
  });
  after(() => Promise.all(deployments.map((deployment) => deployment.close())));

  const planned = (name: string): Plan =>
    planOf(`${name}_${randomUUID().slice(0, 8)}`, [task('a', 'succeed')], {
      schedule: { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC', startAt: daysAgo(3) },
    });
  /** Applies a pipeline, does something, and deletes the pipeline: its name is free again. */
  async function whileApplied({ client, taskQueue }: TestWorker, plan: Plan, work: () => Promise<void>): Promise<void> {
    const { dagId } = plan;
    assert.equal(await applyChange(client, { dagId, action: 'create', detail: '', plan }, taskQueue), dagId);
    assert.equal(await pipelineName(client, taskQueue, dagId), dagId);
    await work();
    await applyChange(client, { dagId, action: 'delete', detail: '' }, taskQueue);
  }

  const allSucceeded = ({ client }: TestWorker, { dagId }: Plan): Promise<void> =>
    eventually(async () => assert.deepEqual((await listTicks(client, dagId)).map(({ state }) => state), ['success', 'success', 'success'])); // prettier-ignore

  it('each tick can be filled, although the other has filled it', async () => {
    const plan = planned('filled');
    for (const deployment of both()) {
      const { client, taskQueue } = deployment;
      await whileApplied(deployment, plan, async () => {
        const { started } = await fillTicks(client, plan.dagId, taskQueue, await listTicks(client, plan.dagId));
        assert.equal(started.length, 3);
        for (const id of started) await client.workflow.getHandle(id).result();
        await allSucceeded(deployment, plan);
      });
    }
  });

  it('a backfill runs each interval, although one of the other has run it', async () => {
    const plan = planned('backfilled');
    const range = { from: Date.parse(daysAgo(3)), to: Date.parse(daysAgo(1)) };
    for (const deployment of both()) {
      const { client, taskQueue } = deployment;
      await whileApplied(deployment, plan, async () => {
        const order = { plan, name: plan.dagId, ...range, reprocess: 'none', maxActive: 3, reverse: false } as const;
        const { pipelineRunId } = await startBackfill(client, taskQueue, order);
        const { succeeded, skipped } = (await client.workflow.getHandle(pipelineRunId).result()) as BackfillReport;
        assert.deepEqual({ succeeded, skipped }, { succeeded: 3, skipped: 0 });
        await allSucceeded(deployment, plan);
      });
    }
  });

  it('a run of the other is not the past of a task', async () => {
    const plan = planned('depends');
    const [one, other] = both();
    const { id } = await startScheduledRun(one.client, plan, one.taskQueue, dayBefore(2));
    await one.client.workflow.getHandle(id).result();
    const { pipelineRunId } = await startManualRun(other.client, plan, other.taskQueue, dayBefore(3), 'x');
    await other.client.workflow.getHandle(pipelineRunId).result();
    const { schedule } = plan;
    assert.ok(schedule);
    const question = { dagId: plan.dagId, schedule, interval: dayBefore(2), task: 'a', pipelineRunId: `${plan.dagId}/manual/y` };
    assert.deepEqual(await createPastActivities(one.client, one.taskQueue).past_of_task(question), {});
    await eventually(() =>
      assert.rejects(createPastActivities(other.client, other.taskQueue).past_of_task(question), /There is no run of/),
    );
  });

  it('a sensor that comes back has the name that it had, so that it continues where it was', async () => {
    const dagId = `sensed_${randomUUID().slice(0, 8)}`;
    const plan = compileYaml(
      `dag_id: ${dagId}\ntriggers: [{name: made, type: dataset, any: ["s3://lake/${dagId}"]}]\ntasks: [{name: a, type: empty}]\n`,
    );
    const [one, other] = both();
    const plain = sensorId(dagId, 'made');
    const named = sensorId(nameIn(other.taskQueue, dagId), 'made');
    const start = ({ client, taskQueue }: TestWorker, id: string): Promise<void> =>
      applySensorChange(client, { id, action: 'start', plan, trigger: 'made' }, taskQueue);
    const running = ({ client, taskQueue }: TestWorker, ids: readonly string[]): Promise<void> =>
      eventually(async () => assert.deepEqual((await listRunningSensors(client, taskQueue)).map(({ id }) => id), ids)); // prettier-ignore
    const stop = async (deployment: TestWorker, id: string): Promise<void> => {
      await applySensorChange(deployment.client, { id, action: 'stop' }, deployment.taskQueue);
      await running(deployment, []);
    };
    await start(one, plain);
    await start(other, plain);
    await running(one, [plain]);
    await running(other, [named]);
    await stop(one, plain);
    await stop(other, named);
    await start(other, plain);
    await running(other, [named]);
    // Its pipeline has got another name, since the other deployment has its dag_id.
    await start(one, sensorId(nameIn(one.taskQueue, dagId), 'made'));
    await running(one, [plain]);
    await stop(one, plain);
    await stop(other, named);
  });

  it('a monitor that starts finds the run of an open problem, whatever name is in its id', async () => {
    const plan = planOf(`called_${randomUUID().slice(0, 8)}`, [task('a', 'succeed')]);
    const [one, other] = both();
    const within = 'pipeline/calls/manual/1/call';
    const workflowId = `${plan.dagId}/${within}`;
    // As a run of a pipeline that only this deployment has starts it.
    const facts = runStart(plan, 'pipeline', other.taskQueue, { interval: SOME_DAY });
    await (await other.client.workflow.start(plan.dagId, { workflowId, ...facts })).result();
    const found = async ({ client, taskQueue }: TestWorker, name: string): Promise<number> => {
      const index = new RunIndex(client, undefined, taskQueue);
      await index.refresh(Date.now() + 10 * DAY);
      await index.remember([`${plan.dagId}/failed/${within}`], new Map([[plan.dagId, { name }]]), new Unchecked());
      return index.byPipeline().get(plan.dagId)?.length ?? 0;
    };
    await eventually(async () => assert.equal(await found(other, nameIn(other.taskQueue, plan.dagId)), 1));
    assert.equal(await found(one, plan.dagId), 0);
  });
});
