import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { connectClient } from '../../temporal/connect.ts';
import { listSchedules } from '../../temporal/schedules/schedules.ts';
import { compiler } from '../support/compiler.ts';
import { eventually } from '../support/eventually.ts';
import { sluice, startProcess, type TestProcess } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { testStack } from '../support/test-stack.ts';

const unique = randomUUID().replaceAll('-', '').slice(0, 8);
const id = (name: string): string => `${name}_${unique}`;

/** No worker runs here. */
const PRUNE = ['--prune', '--allow-delete', '9', '--no-wait'];

function pipeline(name: string, schedule: string): string {
  return `dag_id: ${id(name)}\nschedule_interval: "${schedule}"\nowner: data\ntasks:\n  - {name: a, type: postgres_to_s3, source_table: t, s3_bucket: raw-data}\n`;
}

describe('scheduler', () => {
  const taskQueue = `scheduler-${unique}`;
  let folder: { path: string; remove(): Promise<void> };
  let environment: Record<string, string>;
  let client: Client;
  let watching: TestProcess | undefined;

  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal']));
    client = await connectClient(environment);
    folder = await temporaryFolder();
  });
  after(async () => {
    await watching?.stop();
    await client.connection.close();
    await folder.remove();
  });

  const write = (name: string, text: string): Promise<void> => writeFile(join(folder.path, `${name}.yaml`), text);
  const hashes = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await listSchedules(client, taskQueue)).map(({ dagId, planHash }) => [dagId, planHash]));
  const hashOf = (text: string): string => compiler.compile({ file: 'x', text }).plan?.hash ?? 'no plan';

  async function apply(): Promise<{ code: number | null; stderr: string }> {
    const scheduler = startProcess('scheduler.ts', ['--pipelines', folder.path, '--task-queue', taskQueue, ...PRUNE], environment);
    const code = await scheduler.exited;
    return { code, stderr: scheduler.stderr() };
  }

  it('creates schedules that fire when the file says', async () => {
    await write('one', pipeline('one', '@daily'));
    await write('two', pipeline('two', '30 6 13 * 5'));
    assert.equal((await apply()).code, 0);
    await eventually(async () => assert.deepEqual(Object.keys(await hashes()).sort(), [id('one'), id('two')]));
    const { info, policies } = await client.schedule.getHandle(id('one')).describe();
    assert.ok(info.nextActionTimes.every((time) => time.toISOString().endsWith('T00:00:00.000Z')));
    assert.equal(policies.overlap, 'BUFFER_ALL');
    // Cron means either day; Temporal alone would mean Friday the 13th only.
    const { info: friday } = await client.schedule.getHandle(id('two')).describe();
    assert.ok(friday.nextActionTimes.some((time) => time.getUTCDay() === 5 && time.getUTCDate() !== 13));
  });

  it('applies nothing of what it could not carry out whole, names the key, and applies the others', async () => {
    await write('later', pipeline('later', '@daily').replace('raw-data', 'raw-data, file_format: parquet'));
    const { code, stderr } = await apply();
    assert.equal(code, 3);
    assert.match(stderr, new RegExp(`create ${id('later')} failed: .*'${id('later')}' is not applied.*file_format`));
    assert.ok(!Object.keys(await hashes()).includes(id('later')));
    await rm(join(folder.path, 'later.yaml'));
    assert.equal((await apply()).code, 0);
  });

  it('catches up what never ran since start_date, as a backfill, and shows its ticks', async () => {
    const yesterday = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
    await write('late', `${pipeline('late', '@daily')}start_date: "${yesterday}"\ncatchup: true\n`);
    const { code, stderr } = await apply();
    assert.equal(code, 0);
    const backfill = new RegExp(`catches up ${id('late')}: (\\S+)`).exec(stderr)?.[1] ?? '';
    const handle = client.workflow.getHandle(backfill);
    assert.equal((await handle.describe()).status.name, 'RUNNING');
    await handle.terminate('nobody works here');
    const ticks = await sluice(['ticks', id('late')], { ...environment, SLUICE_TASK_QUEUE: taskQueue });
    assert.equal(ticks.code, 0);
    assert.match(ticks.stdout, /T00:00:00Z +skipped +before the pipeline was applied/);
    assert.match(ticks.stderr, /2 ticks: .*`--fill` starts/);
    await rm(join(folder.path, 'late.yaml'));
    assert.equal((await apply()).code, 0);
  });

  it('leaves alone what has not changed', async () => {
    const { stderr } = await apply();
    assert.doesNotMatch(stderr, /create|update|delete/);
  });

  it('updates only the one that changed, and keeps a pause', async () => {
    await client.schedule.getHandle(id('two')).pause('maintenance');
    const before = await hashes();
    await write('two', pipeline('two', '@hourly'));
    assert.match((await apply()).stderr, new RegExp(`update ${id('two')}`));
    await eventually(async () => {
      const now = await hashes();
      assert.equal(now[id('one')], before[id('one')]);
      assert.equal(now[id('two')], hashOf(pipeline('two', '@hourly')));
    });
    const { state, info } = await client.schedule.getHandle(id('two')).describe();
    assert.deepEqual([state.paused, state.note], [true, 'maintenance']);
    assert.ok(info.nextActionTimes.some((time) => time.getUTCHours() !== 0));
  });

  it('reports a bad file, keeps its schedule, and applies the others', async () => {
    await write('one', pipeline('one', '@dayly'));
    await write('three', pipeline('three', '@weekly'));
    const { code, stderr } = await apply();
    assert.equal(code, 3);
    assert.match(stderr, /one\.yaml:2:20 {2}SL209/);
    await eventually(async () => assert.deepEqual(Object.keys(await hashes()).sort(), [id('one'), id('three'), id('two')]));
  });

  it('deletes nothing while a file cannot be read', async () => {
    await write('one', '\tnot yaml');
    await rm(join(folder.path, 'three.yaml'));
    assert.equal((await apply()).code, 3);
    await eventually(async () => assert.equal(Object.keys(await hashes()).length, 3));
  });

  it('deletes what is gone and was ours, and nothing else', async () => {
    const foreign = id('foreign');
    await client.schedule.create({ scheduleId: foreign, spec: {}, action: { type: 'startWorkflow', workflowType: 'x', taskQueue: 'x' } });
    await write('one', pipeline('one', '@daily'));
    assert.equal((await apply()).code, 0);
    await eventually(async () => assert.deepEqual(Object.keys(await hashes()).sort(), [id('one'), id('two')]));
    assert.equal((await client.schedule.getHandle(foreign).describe()).scheduleId, foreign);
  });

  it('does not take over a schedule that is not ours', async () => {
    await write('foreign', pipeline('foreign', '@daily'));
    const { code, stderr } = await apply();
    assert.equal(code, 3);
    assert.match(stderr, /There is a schedule '.*' that Sluice did not make/);
    await rm(join(folder.path, 'foreign.yaml'));
  });

  it('follows edits with --watch', async () => {
    watching = startProcess('scheduler.ts', ['--watch', '--pipelines', folder.path, '--task-queue', taskQueue, ...PRUNE], environment);
    await watching.says('pipelines applied');
    await write('four', pipeline('four', '@daily'));
    await watching.says(`create ${id('four')}`);
    for (let minute = 1; minute <= 6; minute++) {
      await write('four', pipeline('four', `${minute} 0 * * *`));
      const hash = hashOf(pipeline('four', `${minute} 0 * * *`)).slice(0, 12);
      await watching.says(`→ ${hash}`);
    }
    assert.doesNotMatch(watching.stderr(), /MaxListenersExceededWarning/);
    await rm(join(folder.path, 'four.yaml'));
    await watching.says(`delete ${id('four')}`);
    assert.equal(await watching.stop(), 0);
  });
});
