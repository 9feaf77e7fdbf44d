import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { connectClient } from '../../../temporal/connect.ts';
import { applySensorChange } from '../../../temporal/sensors/sensors.ts';
import { sensorId } from '../../../workflows/plan/sensor.ts';
import { monitorId, probeId } from '../../../workflows/plan/incidents/incident.ts';
import { createBucket, type TestBucket } from '../../support/buckets.ts';
import { eventually } from '../../support/eventually.ts';
import { planOf, task } from '../../support/plans.ts';
import { startProcess, type TestProcess } from '../../support/processes.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';
import { DRIVERS, THROWING_TASKS } from '../../support/throwing-tasks.ts';
import { createYamlRuns, type YamlRuns } from '../../support/yaml-runs.ts';

describe('an error in a callback', function () {
  this.timeout('2m');
  let runs: YamlRuns;
  let bucket: TestBucket;

  before(async function () {
    this.timeout('20m');
    bucket = await createBucket();
    await bucket.put('object', 'text');
    runs = await createYamlRuns({
      parts: ['temporal', 'postgres', 'mysql', 's3', 'kafka', 'rabbitmq'],
      environment: { THROWING_BUCKET: bucket.name },
      worker: 'test/support/throwing-worker.ts',
      catalog: THROWING_TASKS,
    });
  });
  after(async () => {
    await runs.close();
    await bucket.drop();
  });

  it('of any driver fails the task that registered it, and nothing else', async () => {
    const { state, tasks } = await runs.run(`
dag_id: throwing
schedule_interval: null
tasks:
  - {name: calm, type: calm, ms: 3000, depends_on: []}
${DRIVERS.map((driver) => `  - {name: ${driver}, type: throwing, driver: ${driver}, retries: 0, depends_on: []}`).join('\n')}
`);
    assert.equal(state, 'failed');
    assert.deepEqual([tasks.calm?.state, tasks.calm?.output], ['success', 'calm']);
    for (const driver of DRIVERS) {
      const { state: ended, error = '' } = tasks[driver] ?? {};
      assert.equal(ended, 'failed', driver);
      assert.match(error, new RegExp(`A callback failed: .*${driver} threw.* the worker and its other tasks continue`, 's'), driver);
    }
    assert.equal(runs.worker.child.exitCode, null);
  });

  it('of a sensor makes the next attempt of the sensor continue', async () => {
    const trigger = {
      name: 'changes',
      type: 'throwing_trigger',
      source: {},
      mode: { kind: 'each' },
      onInvalid: 'dead_letter',
      parallelism: 1,
    } as const;
    const plan = planOf(`throwing_${unique()}`, [task('a', 'calm')], { hash: unique(), triggers: [trigger] });
    const id = sensorId(plan.dagId, trigger.name);
    await applySensorChange(runs.client, { id, action: 'start', plan, trigger: trigger.name }, runs.taskQueue);
    await eventually(async () => {
      const { raw } = await runs.client.workflow.getHandle(id).describe();
      const [pending] = raw.pendingActivities ?? [];
      assert.equal(pending?.attempt, 2);
      assert.match(pending.lastFailure?.message ?? '', /^A callback failed: RangeError: sensor threw/);
    });
    await applySensorChange(runs.client, { id, action: 'stop' }, runs.taskQueue);
    assert.match(runs.worker.stderr(), /A callback of sensor\S+ failed; sensor\S+ fails, everything else continues/);
  });

  it('ends a task that does not heed its signal', async () => {
    const { tasks } = await runs.run(`
dag_id: throwing_stuck
schedule_interval: null
tasks: [{name: stuck, type: throwing, driver: timer, stuck: true, retries: 0}]
`);
    assert.match(tasks.stuck?.error ?? '', /A callback failed: RangeError: timer threw\. The attempt was ended/);
  });
});

describe('a process', function () {
  this.timeout('2m');
  let environment: Record<string, string>;
  const processes: TestProcess[] = [];
  const taskQueue = `stray-${randomUUID()}`;
  let folder: { path: string; remove(): Promise<void> };

  before(async function () {
    this.timeout('20m');
    ({ environment } = await testStack(['temporal']));
    folder = await temporaryFolder();
    await writeFile(
      join(folder.path, 'a.yaml'),
      `dag_id: stray_${taskQueue.slice(6, 14)}\nschedule_interval: null\ntasks: [{name: a, type: empty}]\n`,
    );
  });
  after(async () => {
    await Promise.all(processes.map((process) => process.stop('SIGKILL')));
    const client = await connectClient(environment);
    for (const id of [monitorId(taskQueue), probeId(taskQueue)]) await client.workflow.getHandle(id).terminate();
    await client.connection.close();
    await folder.remove();
  });

  /** Throws in a callback of no task when it gets SIGUSR2. */
  const THROW = `data:text/javascript,${encodeURIComponent("process.on('SIGUSR2', () => { throw new Error('stray') })")}`;

  const survives = async (script: string, ...args: string[]): Promise<void> => {
    const started = startProcess(script, args, {
      ...environment,
      SLUICE_TASK_QUEUE: taskQueue,
      NODE_OPTIONS: `--import ${THROW}`,
    });
    processes.push(started);
    await started.says(/ready|pipelines applied/);
    for (const times of [1, 2]) {
      started.child.kill('SIGUSR2');
      await eventually(() => Promise.resolve(assert.equal(started.stderr().split('Error: stray').length - 1, times)));
    }
    assert.match(started.stderr(), /A callback of no task, sensor or monitor failed; the process continues\./);
    assert.equal(await started.stop('SIGTERM'), 0);
  };

  it('survives an error in a callback of no task: worker, monitors and scheduler', async () => {
    await Promise.all([
      survives('worker.ts'),
      survives('worker.ts', '--monitors'),
      survives('scheduler.ts', '--watch', '--pipelines', folder.path),
    ]);
  });

  it('ends when the Temporal SDK itself has failed: it cannot work any more', async () => {
    const failure =
      "Object.assign(new Error('core'), { stack: 'Error: core\\n    at f (/x/node_modules/@temporalio/worker/lib/worker.js:1:1)' })";
    const started = startProcess('worker.ts', [], {
      ...environment,
      SLUICE_TASK_QUEUE: taskQueue,
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2', () => { throw ${failure} })`)}`,
    });
    processes.push(started);
    await started.says('ready');
    started.child.kill('SIGUSR2');
    assert.equal(await started.exited, 1);
    assert.match(started.stderr(), /This process cannot continue and ends: a callback of the Temporal SDK failed\./);
  });
});
