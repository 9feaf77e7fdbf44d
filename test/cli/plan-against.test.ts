import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import { sluice } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const run = promisify(execFile);

describe('sluice plan --against a commit', function () {
  this.timeout('1m');
  let folder: { path: string; remove(): Promise<void> };
  const at = (file: string): string => join(folder.path, file);
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(dirname(at(file)), { recursive: true });
    await writeFile(at(file), text);
  };
  const git = (...args: string[]) => run('git', ['-C', folder.path, '-c', 'user.name=ann', '-c', 'user.email=ann@example.com', ...args]);
  const commit = async (): Promise<unknown> => {
    await git('add', '-A');
    return git('commit', '-q', '-m', 'pipelines');
  };
  const pipeline = (name: string, path = '/v1'): string => `dag_id: ${name}\ntasks: [{name: load, type: http, path: ${path}}]\n`;
  /** No server: none is needed. */
  const plan = (...args: string[]) => sluice(['plan', ...args], { TEMPORAL_ADDRESS: '127.0.0.1:1' });

  before(async () => {
    folder = await temporaryFolder();
    await git('init', '-q');
    for (const name of ['kept', 'edited', 'moved', 'gone', 'broken']) await write(`pipelines/team/${name}.yaml`, pipeline(name));
    await write('pipelines/reads.yaml', 'dag_id: reads\ntasks: [{name: rows, type: sql, sql_file: sql/rows.sql}]\n');
    await write('pipelines/sql/rows.sql', 'DELETE FROM a');
    await write('package.json', '{"name": "acme"}');
    await write('environments/prod.yaml', 'vars: {schema: old}');
    await write('pipelines/sql/varied.sql', 'DELETE FROM {{ vars.schema }}.t');
    await write('pipelines/team/varied.yaml', 'dag_id: varied\ntasks: [{name: rows, type: sql, sql_file: ../sql/varied.sql}]\n');
    await commit();
    await write('environments/prod.yaml', 'vars: {schema: new}');
    await write('pipelines/team/edited.yaml', pipeline('edited', '/v2'));
    await rename(at('pipelines/team/moved.yaml'), at('pipelines/new-name.yaml'));
    await rm(at('pipelines/team/gone.yaml'));
    await write('pipelines/added.yaml', pipeline('added'));
    await write('pipelines/team/broken.yaml', `${pipeline('broken')}taskz: []\n`);
    await write('pipelines/sql/rows.sql', 'DELETE FROM b');
  });
  after(() => folder.remove());

  it('shows what was added, changed, moved and deleted, and what a file of SQL changes', async () => {
    const { code, stdout, stderr } = await plan(at('pipelines'), '--against', 'HEAD', '-o', 'json', '--env', 'prod');
    assert.equal(code, 3, stderr);
    const changes = JSON.parse(stdout) as { dag_id: string; action: string; diff?: string[] }[];
    assert.deepEqual(Object.fromEntries(changes.map(({ dag_id, action }) => [dag_id, action])), {
      added: 'create',
      edited: 'update',
      gone: 'delete',
      kept: 'unchanged',
      moved: 'unchanged',
      reads: 'update',
      varied: 'update',
    });
    const diffOf = (name: string): string => changes.find(({ dag_id }) => dag_id === name)?.diff?.join('\n') ?? '';
    assert.match(diffOf('edited'), /^- +path: \/v1\n\+ +path: \/v2$/m);
    assert.match(diffOf('reads'), /DELETE FROM a[^]*DELETE FROM b/);
    assert.match(stderr, /taskz/);
    assert.doesNotMatch(stderr, /Temporal/);
  });

  it('compares one file, and a folder that the commit does not have', async () => {
    const file = await plan(at('pipelines/team/edited.yaml'), '--against', 'HEAD');
    assert.deepEqual([file.code, /~ edited {2}update/.test(file.stdout)], [2, true], file.stderr);
    const added = await plan(at('pipelines/added.yaml'), '--against', 'HEAD');
    assert.deepEqual([added.code, /\+ added {2}create/.test(added.stdout)], [2, true], added.stderr);
  });

  it('reads the environment of the commit, and the files of SQL of a file that is named alone', async () => {
    const { code, stdout, stderr } = await plan(at('pipelines/team/varied.yaml'), '--against', 'HEAD', '--env', 'prod');
    assert.equal(code, 2, stderr);
    assert.match(stdout, /- +sql: DELETE FROM old\.t[^]*\+ +sql: DELETE FROM new\.t/);
  });

  it('shows what a change of defaults.yaml changes, also for a file that is named alone', async () => {
    await write('pipelines/sales/defaults.yaml', 'owner: team_a\n');
    await write('pipelines/sales/orders.yaml', pipeline('orders'));
    await commit();
    await write('pipelines/sales/defaults.yaml', 'owner: team_b\n');
    const { code, stdout, stderr } = await plan(at('pipelines/sales/orders.yaml'), '--against', 'HEAD', '-o', 'json');
    const changes = JSON.parse(stdout) as {
      dag_id: string;
      action: string;
      diff?: string[];
      filled_in: { what: string; value: string }[];
    }[];
    assert.deepEqual([code, changes.map(({ dag_id, action }) => [dag_id, action])], [2, [['orders', 'update']]], stderr);
    assert.match(changes[0]?.diff?.join('\n') ?? '', /team_a[^]*team_b/);
    assert.ok(changes[0]?.filled_in.some(({ what, value }) => what === 'owner' && value === 'team_b'));
  });

  it('is empty when the files are committed, and exits with 0', async () => {
    const { code, stdout } = await plan(at('pipelines/team/kept.yaml'), '--against', 'HEAD');
    assert.deepEqual([code, /= kept {2}no change/.test(stdout)], [0, true]);
  });

  it('refuses what is not a commit, and never takes it for an option', async () => {
    for (const ref of ['no-such-branch', '--output=/tmp/x']) {
      const { code, stderr } = await plan(at('pipelines'), `--against=${ref}`);
      assert.equal(code, 1, ref);
      assert.match(stderr, /git rev-parse failed/, ref);
    }
    const outside = await temporaryFolder();
    try {
      await writeFile(join(outside.path, 'a.yaml'), pipeline('a'));
      const { code, stderr } = await plan(outside.path, '--against', 'HEAD');
      assert.equal(code, 1);
      assert.match(stderr, /git rev-parse failed: .*not a git repository/);
    } finally {
      await outside.remove();
    }
  });
});
