import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Client } from '@temporalio/client';
import fc from 'fast-check';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { connectClient } from '../../temporal/connect.ts';
import { listSchedules } from '../../temporal/schedules/schedules.ts';
import { eventually } from '../support/eventually.ts';
import { sluice } from '../support/processes.ts';
import { IS_FULL, randomCases } from '../support/random-cases.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { testStack } from '../support/test-stack.ts';

interface Change {
  readonly dag_id?: string;
  readonly sensor?: string;
  readonly action: string;
  readonly detail?: string;
  readonly withheld?: string;
  readonly failure?: string;
}

describe('sluice apply', function () {
  this.timeout('2m');
  let environment: Record<string, string>;
  let client: Client;
  let taskQueue: string;
  let folder: { path: string; remove(): Promise<void> };

  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal']));
    client = await connectClient(environment);
  });
  after(() => client.connection.close());
  beforeEach(async function () {
    taskQueue = `apply-${randomUUID().slice(0, 8)}`;
    folder = await temporaryFolder();
    await project('acme');
  });
  afterEach(async () => {
    for (const { dagId } of await listSchedules(client, taskQueue)) await client.schedule.getHandle(dagId).delete();
    await folder.remove();
  });

  const id = (name: string): string => `${name}_${taskQueue.replaceAll('-', '_')}`;
  const at = (file: string): string => join(folder.path, file);
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(dirname(at(file)), { recursive: true });
    await writeFile(at(file), text);
  };
  const project = (name: string): Promise<void> => write(`${name}/package.json`, JSON.stringify({ name }));
  const pipeline = (name: string, cron = '0 6 * * *'): string =>
    `dag_id: ${id(name)}\nschedule_interval: "${cron}"\nowner: data\ntasks:\n  - {name: a, type: empty}\n`;
  const applied = async (): Promise<string[]> => (await listSchedules(client, taskQueue)).map(({ dagId }) => dagId);
  const eventuallyApplied = (...names: string[]): Promise<void> =>
    eventually(async () => assert.deepEqual(await applied(), names.map(id).sort()));

  async function call(command: 'plan' | 'apply', path: string, ...options: string[]) {
    const { code, stdout, stderr } = await sluice([command, at(path), '-o', 'json', ...options], {
      ...environment,
      SLUICE_TASK_QUEUE: taskQueue,
    });
    return { code, stderr, changes: stdout === '' ? [] : (JSON.parse(stdout) as Change[]) };
  }
  /** What a change does, in a form that `plan` and `apply` have in common. */
  const inShort = (changes: readonly Change[]): string[] =>
    changes
      .filter(({ action }) => action !== 'unchanged')
      .map(({ dag_id, sensor, action, detail, withheld }) => [dag_id ?? sensor, action, detail, withheld].join(' | '))
      .sort();

  it('deletes nothing without --prune, and not more than a fifth of the pipelines without --allow-delete', async () => {
    for (const name of ['one', 'two', 'three', 'four', 'five', 'six']) await write(`acme/pipelines/${name}.yaml`, pipeline(name));
    assert.equal((await call('apply', 'acme/pipelines')).code, 0);
    await eventuallyApplied('one', 'two', 'three', 'four', 'five', 'six');
    await rm(at('acme/pipelines/one.yaml'));
    const { code, changes } = await call('apply', 'acme/pipelines');
    assert.deepEqual([code, inShort(changes)], [1, [`${id('one')} | delete | pipelines/one.yaml is gone | \`--prune\` deletes it`]]);
    await rm(at('acme/pipelines/two.yaml'));
    const many = await call('apply', 'acme/pipelines', '--prune', '--allow-delete', '1');
    assert.equal(many.code, 1);
    assert.match(many.changes[0]?.withheld ?? '', /^2 of the project's 6 pipelines would be deleted; `--allow-delete 2` allows it$/);
    await eventuallyApplied('one', 'two', 'three', 'four', 'five', 'six');
    assert.equal((await call('apply', 'acme/pipelines', '--prune', '--allow-delete', '2')).code, 0);
    await eventuallyApplied('three', 'four', 'five', 'six');
  });

  it('refuses a folder that is missing or empty', async () => {
    await write('acme/pipelines/one.yaml', pipeline('one'));
    assert.equal((await call('apply', 'acme/pipelines')).code, 0);
    await mkdir(at('acme/empty'));
    for (const [path, message] of [
      ['acme/missing', /File or folder .* does not exist/],
      ['acme/empty', /has no pipelines: no file in it ends in \.yaml or \.yml/],
    ] as const) {
      const { code, stderr } = await call('apply', path, '--prune', '--allow-delete', '9');
      assert.equal(code, 1);
      assert.match(stderr, message);
    }
    await eventuallyApplied('one');
  });

  it('does not touch the pipelines of other projects and other folders on the same queue', async () => {
    await project('other');
    await write('acme/pipelines/sales/one.yaml', pipeline('one'));
    await write('acme/pipelines/stock/two.yaml', pipeline('two'));
    await write('other/pipelines/three.yaml', pipeline('three'));
    assert.equal((await call('apply', 'acme/pipelines')).code, 0);
    assert.equal((await call('apply', 'other/pipelines', '--prune', '--allow-delete', '9')).code, 0);
    await eventuallyApplied('one', 'two', 'three');
    await rm(at('acme/pipelines/stock/two.yaml'));
    const { code, changes } = await call('apply', 'acme/pipelines/sales', '--prune', '--allow-delete', '9');
    assert.deepEqual([code, changes], [0, []]);
    await write('other/pipelines/one.yaml', pipeline('one', '0 7 * * *'));
    const taken = await call('apply', 'other/pipelines', '--prune', '--allow-delete', '9');
    assert.equal(taken.code, 1);
    assert.match(taken.changes[0]?.failure ?? '', /belongs to the project 'acme' \(pipelines\/sales\/one\.yaml\)/);
    await eventuallyApplied('one', 'two', 'three');
  });

  it('sees a file with a new name as the same pipeline, and keeps a file that cannot be read', async () => {
    await write('acme/pipelines/one.yaml', pipeline('one'));
    await write('acme/pipelines/two.yaml', pipeline('two'));
    assert.equal((await call('apply', 'acme/pipelines')).code, 0);
    await eventuallyApplied('one', 'two');
    await rename(at('acme/pipelines/one.yaml'), at('acme/pipelines/uno.yaml'));
    const moved = await call('apply', 'acme/pipelines', '--prune', '--allow-delete', '9');
    assert.deepEqual(inShort(moved.changes), [`${id('one')} | update | from pipelines/uno.yaml | `]);
    await write('acme/pipelines/uno.yaml', pipeline('uno'));
    assert.deepEqual(inShort((await call('plan', 'acme/pipelines')).changes), [
      `${id('one')} | delete | pipelines/uno.yaml has another dag_id now | \`--prune\` deletes it`,
      `${id('uno')} | create | 0 6 * * * UTC | `,
    ]);
    await write('acme/pipelines/uno.yaml', pipeline('one'));
    await rename(at('acme/pipelines/two.yaml'), at('acme/pipelines/dos.yaml'));
    await write('acme/pipelines/dos.yaml', '\tnot yaml');
    const broken = await call('apply', 'acme/pipelines', '--prune', '--allow-delete', '9');
    assert.equal(broken.code, 3);
    assert.match(broken.changes[0]?.withheld ?? '', /pipelines\/dos\.yaml cannot be read, and may be its file under a new name/);
    await eventuallyApplied('one', 'two');
  });

  it('keeps the pause of a pipeline that is deleted and comes back', async () => {
    await write('acme/pipelines/one.yaml', pipeline('one'));
    await write('acme/pipelines/two.yaml', pipeline('two'));
    assert.equal((await call('apply', 'acme/pipelines')).code, 0);
    await client.schedule.getHandle(id('one')).pause('ann: the source is wrong');
    await rename(at('acme/pipelines/one.yaml'), at('acme/one.txt'));
    await eventuallyApplied('one', 'two');
    assert.equal((await call('apply', 'acme/pipelines', '--prune', '--allow-delete', '1')).code, 0);
    await eventuallyApplied('two');
    await rename(at('acme/one.txt'), at('acme/pipelines/one.yaml'));
    assert.equal((await call('apply', 'acme/pipelines')).code, 0);
    await eventuallyApplied('one', 'two');
    const { state, info } = await client.schedule.getHandle(id('one')).describe();
    assert.deepEqual([state.paused, state.note], [true, 'ann: the source is wrong']);
    assert.ok(info.nextActionTimes.length > 0);
    await client.schedule.getHandle(id('one')).delete();
  });

  const edit = fc.record({
    what: fc.constantFrom('delete', 'change', 'move', 'add', 'nothing', 'nothing', 'nothing', 'nothing', 'nothing', 'nothing'),
    number: fc.nat(23),
  });
  const round = fc.record({ edits: fc.array(edit, { minLength: 99, maxLength: 99 }), prune: fc.boolean() });
  const { cases, title } = randomCases(round, { few: 3, many: 40, seed: 260_000 });

  it(`does what plan has said, over random edits of 50 files: ${title}`, async function () {
    this.timeout(IS_FULL ? '30m' : '4m');
    const files = new Map(Array.from({ length: 50 }, (_, n) => [`p${n}`, `acme/pipelines/p${n}.yaml`]));
    for (const [name, path] of files) await write(path, pipeline(name));
    assert.equal((await call('apply', 'acme/pipelines')).code, 0);
    const deleting = ['--prune', '--allow-delete', '999'];
    const left = async (): Promise<string[]> =>
      inShort((await call('plan', 'acme/pipelines', ...deleting)).changes).map((change) => change.split(' | ').slice(0, 2).join(' | '));
    for (const [index, { edits, prune }] of cases.entries()) {
      for (const [n, [name, path]] of [...files].entries()) {
        const { what, number } = edits[n % edits.length] ?? { what: 'nothing', number: 0 };
        if (what === 'change') await write(path, pipeline(name, `${index} ${number} * * *`));
        else if (what === 'delete') {
          await rm(at(path));
          files.delete(name);
        } else if (what === 'move') {
          files.set(name, `acme/pipelines/team${number}/${name}.yaml`);
          await mkdir(at(`acme/pipelines/team${number}`), { recursive: true });
          await rename(at(path), at(files.get(name) ?? ''));
        } else if (what === 'add') {
          files.set(`${name}_${index}`, `acme/pipelines/${name}_${index}.yaml`);
          await write(`acme/pipelines/${name}_${index}.yaml`, pipeline(`${name}_${index}`));
        }
      }
      const options = prune ? deleting : [];
      const planned = await call('plan', 'acme/pipelines', ...options);
      const done = await call('apply', 'acme/pipelines', ...options);
      assert.deepEqual(inShort(done.changes), inShort(planned.changes));
      const withheld = done.changes.filter((change) => change.withheld !== undefined).map(({ dag_id }) => `${dag_id} | delete`);
      // Temporal's list lags a moment behind.
      await eventually(async () => assert.deepEqual(await left(), withheld.sort()));
    }
    await call('apply', 'acme/pipelines', ...deleting);
    await eventuallyApplied(...files.keys());
  });
});
