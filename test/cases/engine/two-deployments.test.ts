import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { CATALOG } from '../../../activities/catalog.ts';
import { createActivities } from '../../../activities/run/create-activities.ts';
import { PagerDutyStandIn } from '../../../dev/demo/pagerduty-stand-in.ts';
import { ensureMonitor } from '../../../temporal/monitors/ensure-monitor.ts';
import type { MonitorGroup } from '../../../temporal/monitors/monitors.ts';
import { previewBackfill, startBackfill } from '../../../temporal/schedules/backfills.ts';
import { createRunLookup } from '../../../temporal/runs/run-lookup.ts';
import { connectClient } from '../../../temporal/connect.ts';
import { decideApproval } from '../../../temporal/runs/decisions.ts';
import { describeRun, listRuns, startManualRun } from '../../../temporal/runs/runs.ts';
import { listAllSchedules } from '../../../temporal/schedules/schedules.ts';
import { pipelineName } from '../../../temporal/schedules/pipeline-name.ts';
import { listRunningSensors } from '../../../temporal/sensors/sensors.ts';
import { monitorId, probeId } from '../../../workflows/plan/incidents/incident.ts';
import { nameIn } from '../../../workflows/plan/ids.ts';
import { eventually } from '../../support/eventually.ts';
import { sluice } from '../../support/processes.ts';
import { startSensorWorker } from '../../support/sensor-worker.ts';
import { taskDependencies } from '../../support/task-dependencies.ts';
import type { TestWorker } from '../../support/temporal-worker.ts';
import { createTestMonitors } from '../../support/test-monitors.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { testStack } from '../../support/test-stack.ts';
import { planOf } from '../../support/yaml-runs.ts';

const DAY = { start: '2024-01-02T00:00:00Z', end: '2024-01-03T00:00:00Z' };

/** The same files, applied by two deployments in one namespace. */
describe('two deployments with the same pipelines', function () {
  this.timeout('2m');
  const suffix = randomUUID().slice(0, 8);
  const [loads, asks] = [`loads_${suffix}`, `asks_${suffix}`];
  const LOADS = `dag_id: ${loads}
schedule_interval: "@daily"
start_date: 2024-01-01
critical: true
alerts: {pagerduty: {conn_id: pagerduty_default}}
max_active_runs: 2
triggers: [{name: made, type: dataset, any: ["s3://lake/${suffix}"]}]
tasks:
  - {name: call, type: run_pipeline, dag_id: ${asks}, retries: 0}
  - {name: seen, type: wait_for_pipeline, dag_id: ${asks}, depends_on: [call]}
`;
  const ASKS = `dag_id: ${asks}\ntasks: [{name: ask, type: approval, prompt: "Is it right?"}]\n`;
  const plan = planOf(LOADS, CATALOG, [ASKS]);
  let folder: { path: string; remove(): Promise<void> };
  let pagerDuty: PagerDutyStandIn;
  let environment: Record<string, string>;
  const deployments: { readonly worker: TestWorker; readonly monitors: MonitorGroup; readonly monitoring: Promise<void> }[] = [];
  const workerOf = (index: number): TestWorker => deployments[index]?.worker ?? assert.fail();
  const queueOf = (index: number): string => workerOf(index).taskQueue;

  before(async function () {
    this.timeout('15m');
    const stack = await testStack(['temporal']);
    pagerDuty = await PagerDutyStandIn.start();
    environment = { ...stack.environment, ...pagerDuty.environment };
    folder = await temporaryFolder();
    await mkdir(join(folder.path, 'pipelines'));
    await writeFile(join(folder.path, 'pipelines/loads.yaml'), LOADS);
    await writeFile(join(folder.path, 'pipelines/asks.yaml'), ASKS);
    const activities = createActivities(CATALOG, taskDependencies(environment, createRunLookup(await connectClient(environment))));
    for (let index = 0; index < 2; index++) {
      const worker = await startSensorWorker(environment, activities);
      const monitors = await createTestMonitors(environment, worker.taskQueue);
      deployments.push({ worker, monitors, monitoring: monitors.run() });
      const settings = { everyMs: 500, graceMs: 60_000, neverStartedMs: 60_000, silenceMs: 20_000, sensorMs: 20_000 };
      await ensureMonitor(worker.client, worker.taskQueue, settings);
    }
  });
  after(async () => {
    for (const { worker, monitors, monitoring } of deployments) {
      for (const id of [monitorId(worker.taskQueue), probeId(worker.taskQueue)]) await worker.client.workflow.getHandle(id).terminate();
      monitors.shutdown();
      await monitoring;
      await worker.close();
    }
    await pagerDuty.close();
    await folder.remove();
  });

  async function call(index: number, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await sluice(args, { ...environment, SLUICE_PROJECT: folder.path, SLUICE_TASK_QUEUE: queueOf(index) });
    assert.equal(code, 0, stderr + stdout);
    return stdout + stderr;
  }
  const fails = async (index: number, ...args: string[]): Promise<string> => {
    const { code, stderr } = await sluice(args, { ...environment, SLUICE_PROJECT: folder.path, SLUICE_TASK_QUEUE: queueOf(index) });
    assert.equal(code, 1, stderr);
    return stderr;
  };
  const namesOf = async (index: number): Promise<string[]> =>
    (await listAllSchedules(workerOf(index).client, queueOf(index))).map(({ name = '' }) => name);
  const start = async (index: number, id: string): Promise<string> =>
    (await startManualRun(workerOf(index).client, plan, queueOf(index), DAY, id)).pipelineRunId;
  const stateOf = async (index: number, pipelineRunId: string): Promise<string> =>
    (await describeRun(workerOf(index).client, { pipelineRunId })).state;
  const becomes = (index: number, run: string, state: string): Promise<void> =>
    eventually(async () => assert.equal(await stateOf(index, run), state), 30_000);
  const approve = async (index: number, parent: string): Promise<void> => {
    const { client } = workerOf(index);
    const child = `${index === 0 ? asks : nameIn(queueOf(1), asks)}/pipeline/${parent}/call`;
    await becomes(index, child, 'approval');
    await decideApproval(client, child, { task: 'ask', decision: 'approve', by: 'ann' });
  };

  it('apply them: each has its own schedules and sensors, and the second apply changes nothing', async () => {
    for (const index of [0, 1]) {
      assert.match(await call(index, 'apply', folder.path), new RegExp(`^${loads} +created[^]*^sensor/.*started`, 'm'));
      await eventually(async () => assert.match(await call(index, 'apply', folder.path), /^2 unchanged/m));
    }
    assert.deepEqual(await namesOf(0), [asks, loads]);
    assert.deepEqual(
      await namesOf(1),
      [asks, loads].map((dagId) => nameIn(queueOf(1), dagId)),
    );
    for (const [index, name] of [
      [0, loads],
      [1, nameIn(queueOf(1), loads)],
    ] as const) {
      assert.equal(await pipelineName(workerOf(index).client, queueOf(index), loads), name);
      const sensors = await listRunningSensors(workerOf(index).client, queueOf(index));
      assert.deepEqual(
        sensors.map(({ id }) => id),
        [`sensor/${name}/made`],
      );
    }
  });

  it('run, cancel and show them: each its own', async () => {
    const [first, second] = [await start(0, 'canceled'), await start(1, 'canceled')];
    assert.deepEqual([first, second], [`${loads}/manual/canceled`, `${nameIn(queueOf(1), loads)}/manual/canceled`]);
    await assert.rejects(start(1, 'canceled'), /exists already/);
    assert.match(
      await fails(0, 'cancel', second),
      new RegExp(`belongs to the deployment '${queueOf(1)}'.*SLUICE_TASK_QUEUE=${queueOf(1)}`),
    );
    // The deployment may be left out.
    await call(1, 'cancel', first);
    await becomes(1, second, 'canceled');
    assert.match(await call(0, 'show', first), /running/);
    assert.match(await call(1, 'show', first), /canceled/);
    assert.match(await call(0, 'show', second, '--all-deployments'), /canceled/);
    await approve(0, first);
    await becomes(0, first, 'success');
    await eventually(async () => {
      const listed = await Promise.all([0, 1].map((index) => listRuns(workerOf(index).client, 9, loads, undefined, queueOf(index))));
      assert.deepEqual(
        listed.map((runs) => runs.map(({ pipelineRunId }) => pipelineRunId)),
        [[first], [second]],
      );
    });
  });

  it('fill their intervals: a run of the other deployment does not count', async () => {
    const [from, to] = [Date.parse(DAY.start), Date.parse(DAY.start)];
    const order = { plan, from, to, reprocess: 'none', maxActive: 1, reverse: false } as const;
    const whyOf = async (index: number): Promise<[boolean, string] | undefined> => {
      const [choice] = await previewBackfill(workerOf(index).client, order, queueOf(index));
      return choice && [choice.runs, choice.why];
    };
    assert.deepEqual(await whyOf(0), [false, 'success']);
    assert.deepEqual(await whyOf(1), [false, 'canceled; --reprocess failed runs it again']);
    const { client, taskQueue } = workerOf(1);
    const name = await pipelineName(client, taskQueue, loads);
    const backfill = await startBackfill(client, taskQueue, { ...order, reprocess: 'failed', name });
    assert.equal(backfill.pipelineRunId, `${name}/backfills/${DAY.start}/${DAY.start}`);
    const run = `${name}/backfill/${DAY.start}/${DAY.end}`;
    await approve(1, run);
    await becomes(1, run, 'success');
    assert.match(
      await call(0, 'ticks', loads, '--from', '2024-01-02', '--to', '2024-01-02'),
      new RegExp(`success +${loads}/manual/canceled`),
    );
    assert.match(await call(1, 'ticks', loads, '--from', '2024-01-02', '--to', '2024-01-02'), new RegExp(`success +${name}/backfill/`));
  });

  it('page for late runs of one deployment, and resolve its incidents', async () => {
    const next = { start: '2024-01-05T00:00:00Z', end: '2024-01-06T00:00:00Z' };
    const runs = await Promise.all(
      [0, 1].map(async (index) => (await startManualRun(workerOf(index).client, plan, queueOf(index), next, 'waits')).pipelineRunId),
    );
    const keys = [loads, nameIn(queueOf(1), loads)].map((name) => `${name}/late/${next.start}`);
    const actions = (expected: string[][]): Promise<void> =>
      eventually(
        () =>
          Promise.resolve(
            assert.deepEqual(
              keys.map((key) => pagerDuty.actionsOf(key)),
              expected,
            ),
          ),
        40_000,
      );
    await actions([['trigger'], ['trigger']]);
    assert.match(await call(1, 'incidents'), new RegExp(`^${keys[1]} `, 'm'));
    await call(1, 'incidents', 'ack', keys[0] ?? '', '--reason', 'ours');
    await actions([['trigger'], ['trigger', 'acknowledge']]);
    await approve(1, runs[1] ?? '');
    await actions([['trigger'], ['trigger', 'acknowledge', 'resolve']]);
    await approve(0, runs[0] ?? '');
    await actions([
      ['trigger', 'resolve'],
      ['trigger', 'acknowledge', 'resolve'],
    ]);
  });

  it('pause and prune them: those of the other deployment stay as they are; a pause is kept under their name', async () => {
    await call(1, 'pause', loads, '--reason', 'ours only');
    await call(1, 'sensors', 'pause', `${loads}/made`);
    const paused = async (index: number): Promise<boolean | undefined> =>
      (await listAllSchedules(workerOf(index).client, queueOf(index))).find(({ dagId }) => dagId === loads)?.paused;
    await eventually(async () => assert.deepEqual([await paused(0), await paused(1)], [false, true]));
    assert.match(await call(0, 'sensors'), new RegExp(`^${loads}/made +running`, 'm'));
    assert.match(await call(1, 'sensors'), new RegExp(`^${nameIn(queueOf(1), loads)}/made +paused`, 'm'));

    await rm(join(folder.path, 'pipelines/loads.yaml'));
    await call(1, 'apply', folder.path, '--prune', '--allow-delete', '2');
    await eventually(async () => assert.deepEqual(await listRunningSensors(workerOf(1).client, queueOf(1)), []));
    assert.deepEqual(await namesOf(0), [asks, loads]);
    await writeFile(join(folder.path, 'pipelines/loads.yaml'), LOADS);
    await call(1, 'apply', folder.path);
    await eventually(async () => {
      const schedules = await listAllSchedules(workerOf(1).client, queueOf(1));
      assert.deepEqual(
        schedules.map(({ name, paused, isDeleted }) => [name, paused, isDeleted]),
        [
          [nameIn(queueOf(1), asks), false, undefined],
          [nameIn(queueOf(1), loads), true, undefined],
        ],
      );
    });
    assert.match(await call(1, 'sensors'), new RegExp(`${loads}/made +paused`));
    await rm(join(folder.path, 'pipelines/loads.yaml'));
    for (const index of [0, 1]) await call(index, 'apply', folder.path, '--prune', '--allow-delete', '2');
  });
});
