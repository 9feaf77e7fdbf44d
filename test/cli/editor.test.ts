import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { LanguageServer, type Position } from '../support/language-server.ts';
import { sluice } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MODELINE = '# yaml-language-server: $schema=./pipeline.schema.json';

describe('an editor with the YAML language server', function () {
  this.timeout('1m');
  let folder: { path: string; remove(): Promise<void> };
  let server: LanguageServer;
  let files = 0;

  before(async () => {
    folder = await temporaryFolder();
    const { code, stderr } = await sluice(['schema', '--write', folder.path]);
    assert.equal(code, 0, stderr);
    server = await LanguageServer.start(folder.path);
  });
  after(async () => {
    await server.stop();
    await folder.remove();
  });

  /** Opens a text with `|` where the cursor is. */
  const open = async (lines: readonly string[]): Promise<{ file: string; cursor: Position; found: readonly string[] }> => {
    const text = [MODELINE, ...lines].join('\n');
    const before = text.slice(0, text.indexOf('|')).split('\n');
    const cursor = { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
    const file = join(folder.path, `file_${++files}.yaml`);
    const diagnostics = await server.open(file, text.replace('|', ''));
    return {
      file,
      cursor,
      found: diagnostics.map(({ range, message }) => `${range.start.line + 1}:${range.start.character + 1} ${message}`),
    };
  };

  it('writes the schema and the settings of VS Code, and keeps what else is set', async () => {
    const settings = join(folder.path, '.vscode', 'settings.json');
    const written = JSON.parse(await readFile(settings, 'utf8')) as object;
    assert.deepEqual(written, { 'yaml.schemas': { './pipeline.schema.json': ['*.yaml', '!*.test.yaml'] } });
    await writeFile(settings, JSON.stringify({ 'editor.rulers': [100], 'yaml.schemas': { other: 'x/*.yaml' } }));
    assert.equal((await sluice(['schema', '--write', folder.path])).code, 0);
    const kept = JSON.parse(await readFile(settings, 'utf8')) as object;
    assert.deepEqual(kept, {
      'editor.rulers': [100],
      'yaml.schemas': { other: 'x/*.yaml', './pipeline.schema.json': ['*.yaml', '!*.test.yaml'] },
    });
  });

  it('finds nothing wrong with the pipelines of the repository', async () => {
    const { found } = await open((await readFile(join('pipelines', 'product_category_etl.yaml'), 'utf8')).split('\n'));
    assert.deepEqual(found, []);
  });

  it('underlines an unknown key of a task where it stands', async () => {
    const { found } = await open(['dag_id: x', 'tasks:', '  - name: a', '    type: spark_job', '    job_nam: j']);
    assert.ok(
      found.some((each) => /^6:5 .*job_nam/.test(each)),
      found.join('\n'),
    );
  });

  it('underlines a task type that does not exist', async () => {
    const { found } = await open(['dag_id: x', 'tasks:', '  - name: a', '    type: sparc_job', '    job_name: j']);
    assert.ok(
      found.some((each) => each.startsWith('5:11 ')),
      found.join('\n'),
    );
  });

  it('offers the keys of a file', async () => {
    const { file, cursor } = await open(['dag_id: x', '|']);
    const offered = await server.complete(file, cursor);
    for (const key of ['schedule_interval', 'tasks', 'params', 'on_failure']) assert.ok(offered.includes(key), offered.join(', '));
  });

  it('offers the types of tasks', async () => {
    const { file, cursor } = await open(['dag_id: x', 'tasks:', '  - name: a', '    type: |']);
    const offered = await server.complete(file, cursor);
    for (const type of ['postgres_to_s3', 'spark_job', 'approval']) assert.ok(offered.includes(type), offered.join(', '));
  });

  it("offers a task type's own keys beside the common ones", async () => {
    const { file, cursor } = await open(['dag_id: x', 'tasks:', '  - name: a', '    type: spark_job', '    |']);
    const offered = await server.complete(file, cursor);
    for (const key of ['job_name', 'depends_on', 'retries']) assert.ok(offered.includes(key), offered.join(', '));
    assert.ok(!offered.includes('redshift_table'), 'keys of other types are not offered');
  });

  it('explains a key with an example', async () => {
    const { file, cursor } = await open(['dag_id: x', 'sche|dule_interval: "@daily"', 'tasks: [{name: a, type: empty}]']);
    const told = await server.hover(file, cursor);
    assert.match(told, /@daily/);
    assert.match(told, /cron/i);
  });

  it('explains a key of a task', async () => {
    const { file, cursor } = await open(['dag_id: x', 'tasks:', '  - name: a', '    type: spark_job', '    job_|name: j']);
    assert.ok((await server.hover(file, cursor)).length > 20);
  });
});
