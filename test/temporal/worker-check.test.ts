import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { after, before, describe, it } from 'mocha';
import { showRun } from '../../temporal/runs/follow-run.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import { listSchedules } from '../../temporal/schedules/schedules.ts';
import { eventually } from '../support/eventually.ts';
import { planOf, SOME_DAY, task } from '../support/plans.ts';
import { sluice } from '../support/processes.ts';
import { startTestWorker, type TestWorker } from '../support/temporal-worker.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { testStack } from '../support/test-stack.ts';

const RETRY = { initialDelayMs: 10, backoff: 1, maximumDelayMs: 10 };

describe('workers that know different task types', function () {
  this.timeout('3m');
  let environment: Record<string, string>;
  const taskQueue = `worker-check-${randomUUID().slice(0, 8)}`;
  const workers: TestWorker[] = [];
  const start = async (...types: string[]): Promise<TestWorker> => {
    const nothing = (): Promise<null> => Promise.resolve(null);
    const worker = await startTestWorker(environment, Object.fromEntries(types.map((type) => [type, nothing])), taskQueue);
    workers.push(worker);
    return worker;
  };

  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal']));
  });
  after(async () => {
    for (const worker of workers) await worker.close();
  });

  it('give back a task that they do not know, and it keeps its own retries', async () => {
    const old = await start('http');
    const attempts: string[] = [];
    const fails = async (): Promise<null> => {
      attempts.push(Context.current().info.activityId);
      throw new Error('the service is down');
    };
    const plan = planOf('rolling_update', [
      task('once', 'added', [], { allowFailure: true }),
      task('twice', 'added', [], { retry: { maximumAttempts: 2, ...RETRY } }),
      // The worker knows only its first version.
      task('later', 'http', [], { typeVersion: 2 }),
    ]);
    const run = await startManualRun(old.client, plan, taskQueue, SOME_DAY, randomUUID());
    await eventually(async () => {
      const tasks = (await showRun(old.client, run)).instances.all();
      for (const { state, note, error } of tasks) {
        assert.deepEqual([state, error], ['queued', undefined]);
        assert.match(
          note ?? '',
          /^No worker has taken the task yet that knows its type '(added|http@2)': deploy one for the task queue 'worker-check-/,
        );
      }
    });
    const updated = await startTestWorker(environment, { added: fails, 'http@2': () => Promise.resolve(null) }, taskQueue);
    workers.push(updated);
    await workers.shift()?.close();
    await assert.rejects(updated.client.workflow.getHandle(run.pipelineRunId).result());
    assert.deepEqual(attempts.sort(), ['once', 'twice', 'twice']);
    const { instances } = await showRun(updated.client, run);
    assert.deepEqual(
      instances.all().map(({ task: name, state, error }) => [name, state, error]),
      [
        ['once', 'failed', 'the service is down'],
        ['twice', 'failed', 'the service is down'],
        ['later', 'success', undefined],
      ],
    );
  });

  it('`sluice apply` leaves alone what needs a missing type, reports it as `sluice plan` does, and applies the rest', async () => {
    const folder = await temporaryFolder();
    const id = (name: string): string => `${name}_${taskQueue.replaceAll('-', '_')}`;
    await mkdir(join(folder.path, 'pipelines'));
    await writeFile(join(folder.path, 'package.json'), '{"name": "acme"}');
    const write = (name: string, keys: string): Promise<void> =>
      writeFile(
        join(folder.path, 'pipelines', `${name}.yaml`),
        `dag_id: ${id(name)}\nschedule_interval: "@yearly"\ntasks: [{name: a, ${keys}}]\n`,
      );
    const call = async (command: string, ...options: string[]) => {
      const { code, stdout, stderr } = await sluice([command, join(folder.path, 'pipelines'), '-o', 'json', ...options], {
        ...environment,
        SLUICE_TASK_QUEUE: taskQueue,
        SLUICE_QUEUES: `${taskQueue}-gpu`,
      });
      const changes = JSON.parse(stdout || '[]') as { dag_id: string; action: string; withheld?: string }[];
      return { code, stderr, changes: changes.map(({ dag_id, action, withheld }) => [dag_id, action, withheld]) };
    };
    const { client } = await start('http');
    try {
      await write('known', 'type: http, path: /a');
      await write('needs_none', 'type: empty');
      await write('new_type', 'type: command, argv: [ls]');
      await write('other_queue', `type: http, path: /a, queue: ${taskQueue}-gpu`);
      const advice = 'Deploy the workers first, or apply it anyway with `--no-wait`';
      const expected = [
        [id('known'), 'create', undefined],
        [id('needs_none'), 'create', undefined],
        [id('new_type'), 'create', `no worker of the task queue '${taskQueue}' knows the task type 'command'. ${advice}`],
        [
          id('other_queue'),
          'create',
          `no worker of this release polls the task queue '${taskQueue}-gpu' for the task type 'http'. ${advice}`,
        ],
      ];
      const planned = await call('plan');
      assert.deepEqual([planned.code, planned.changes.sort()], [2, expected], planned.stderr);
      const applied = await call('apply', '--wait', '0s');
      assert.deepEqual([applied.code, applied.changes.sort()], [1, expected], applied.stderr);
      await eventually(async () => {
        assert.deepEqual(
          (await listSchedules(client, taskQueue)).map(({ dagId }) => dagId),
          [id('known'), id('needs_none')],
        );
      });
      // The types may be spread over workers: none of these two knows both.
      const waits = call('apply', '--wait', '1m');
      await start('command');
      const gpu = await startTestWorker(environment, { http: () => Promise.resolve(null) }, `${taskQueue}-gpu`);
      workers.push(gpu);
      assert.deepEqual((await waits).code, 0, (await waits).stderr);
      await write('known', 'type: http, path: /b');
      assert.deepEqual(await call('apply'), { code: 0, stderr: '', changes: [[id('known'), 'update', undefined]] });
    } finally {
      for (const { dagId } of await listSchedules(client, taskQueue)) await client.schedule.getHandle(dagId).delete();
      await folder.remove();
    }
  });
});
