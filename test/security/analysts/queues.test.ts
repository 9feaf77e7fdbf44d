import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { connectClient } from '../../../temporal/connect.ts';
import { listSchedules } from '../../../temporal/schedules/schedules.ts';
import { sluice, startProcess } from '../../support/processes.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';

/** Every place where a file can send a task to another queue. */
const PLACES: Readonly<Record<string, string>> = {
  task: 'tasks: [{name: a, type: command, argv: [ls], queue: payroll}]',
  default_args: 'default_args: {queue: payroll}\ntasks: [{name: a, type: empty}]',
  group: 'tasks: [{name: b, type: empty}]\ntask_groups: [{name: g, tasks: [{name: a, type: command, argv: [ls], queue: payroll}]}]',
  on_failure: 'tasks: [{name: b, type: empty}]\non_failure: [{name: a, type: command, argv: [ls], queue: payroll}]',
  finally: 'tasks: [{name: b, type: empty}]\nfinally: [{name: a, type: command, argv: [ls], queue: payroll}]',
};

describe('who can write YAML and name a queue of another deployment', function () {
  this.timeout('2m');

  it('is reported by validate, and the scheduler does not apply it, unless SLUICE_QUEUES names it', async () => {
    const { environment } = await testStack(['temporal']);
    const folder = await temporaryFolder();
    const client = await connectClient(environment);
    const taskQueue = `queues-${unique()}`;
    const apply = async (more: Record<string, string>): Promise<[number | null, string[], string]> => {
      // No worker runs here.
      const args = ['--pipelines', folder.path, '--task-queue', taskQueue, '--no-wait'];
      const scheduler = startProcess('scheduler.ts', args, { ...environment, ...more });
      const code = await scheduler.exited;
      return [code, (await listSchedules(client, taskQueue)).map(({ dagId }) => dagId), scheduler.stderr()];
    };
    try {
      for (const [place, text] of Object.entries(PLACES)) {
        await writeFile(join(folder.path, `${place}.yaml`), `dag_id: ${place}_${taskQueue.replaceAll('-', '_')}\n${text}\n`);
      }
      await writeFile(
        join(folder.path, 'own.yaml'),
        `dag_id: own_${taskQueue.replaceAll('-', '_')}\ntasks: [{name: a, type: command, argv: [ls], queue: ${taskQueue}}]\n`,
      );
      const own = { SLUICE_TASK_QUEUE: taskQueue };
      const { code, stdout } = await sluice(['validate', folder.path, '-o', 'json'], { ...own, SLUICE_QUEUES: 'gpu, payrol' });
      assert.equal(code, 3);
      assert.equal(stdout.match(/Queue 'payroll' is not allowed here; allowed: queues-[^,]*, gpu, payrol\./g)?.length, 5);
      assert.equal((await sluice(['validate', folder.path], { ...own, SLUICE_QUEUES: 'payroll' })).code, 0);

      const [refused, schedules, said] = await apply({});
      assert.deepEqual([refused, schedules.length], [3, 1], said);
      assert.match(said, /Queue 'payroll' is not allowed/);
      const [accepted, all] = await apply({ SLUICE_QUEUES: 'payroll' });
      assert.deepEqual([accepted, all.length], [0, 6]);
    } finally {
      for (const { dagId } of await listSchedules(client, taskQueue)) await client.schedule.getHandle(dagId).delete();
      await client.connection.close();
      await folder.remove();
    }
  });
});
