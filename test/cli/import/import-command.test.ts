import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { sluice } from '../../support/processes.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const DAGS = `one:
  schedule: "@daily"
  catchup: false
  tasks: {x: {operator: EmptyOperator}}
Two-B:
  schedule: null
  tasks: {y: {operator: PythonOperator}}
`;

describe('sluice import', function () {
  this.timeout('1m');
  let folder: { path: string; remove(): Promise<void> };
  let dags: string;

  before(async () => {
    folder = await temporaryFolder();
    dags = join(folder.path, 'dags.yml');
    await writeFile(dags, DAGS);
  });
  after(() => folder.remove());

  it('prints pipelines to stdout and the report to stderr', async () => {
    const { code, stdout, stderr } = await sluice(['import', dags]);
    assert.equal(code, 0);
    assert.match(stdout, /^# Imported from .*dags\.yml:1:1\n\ndag_id: one\n[^]*\n---\n[^]*dag_id: two_b\n/);
    assert.match(stderr, /^one \(.*dags\.yml:1:1\)\n {2}kept: .*schedule/);
    assert.match(stderr, /\n {2}not kept {2}.*dags\.yml:7:11 {2}task y: is a placeholder that fails until it is written: PythonOperator/);
  });

  it('--to writes a file each, and never over another', async () => {
    const to = join(folder.path, 'new', 'pipelines');
    const first = await sluice(['import', dags, '--to', to]);
    assert.equal(first.code, 0);
    assert.deepEqual(first.stdout.trim().split('\n'), [join(to, 'one.yaml'), join(to, 'two_b.yaml')]);
    await writeFile(join(to, 'one.yaml'), 'mine');
    const second = await sluice(['import', dags, '--to', to]);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /one\.yaml already exists and was not overwritten\. Move it/);
    assert.equal(await readFile(join(to, 'one.yaml'), 'utf8'), 'mine');
    assert.deepEqual((await readdir(to)).sort(), ['one.yaml', 'two_b.yaml']);
  });

  it('-o json: data for programs', async () => {
    const { stdout, stderr } = await sluice(['import', dags, '-o', 'json']);
    const { pipelines, failed } = JSON.parse(stdout) as { pipelines: { dag_id: string; report: object[] }[]; failed: object[] };
    assert.deepEqual([pipelines.map(({ dag_id }) => dag_id), failed, stderr], [['one', 'two_b'], [], '']);
    assert.ok(pipelines[1]?.report.some((entry) => 'outcome' in entry && entry.outcome === 'not_kept' && 'task' in entry));
  });

  it('1 for what cannot be imported, which is named without a stack trace; the rest is imported', async () => {
    const python = join(folder.path, 'dag.py');
    await writeFile(python, 'from airflow import DAG\n');
    const { code, stdout, stderr } = await sluice(['import', python, join(folder.path, 'nowhere.yml'), folder.path, dags]);
    assert.equal(code, 1);
    assert.match(stdout, /dag_id: one/);
    assert.match(stderr, /dag\.py:1:1 {2}This is a Python file/);
    assert.match(stderr, /nowhere\.yml:1:1 {2}File not found\./);
    assert.match(stderr, /:1:1 {2}This is a folder; name its files instead\./);
    assert.doesNotMatch(stderr, /\n {4}at /);
  });
});
