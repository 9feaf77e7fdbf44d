import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { ROOT } from '../../lib/environment.ts';
import { sluice } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PIPELINE = 'product_category_etl.yaml';

/** What people who write pipelines use; none of it needs a server. */
describe('sluice for authors', function () {
  this.timeout('1m');
  let folder: { path: string; remove(): Promise<void> };
  const at = (name: string): string => join(folder.path, name);

  before(async () => {
    folder = await temporaryFolder();
    await copyFile(join(ROOT, 'pipelines', PIPELINE), at(PIPELINE));
  });
  after(() => folder.remove());

  it('validate -o github: an annotation each, escaped as GitHub wants it', async () => {
    await writeFile(at('bad,1.yaml'), 'dag_id: bad\ntasks:\n  - {name: a, type: spark_job, job_nam: x}\n');
    const { code, stdout } = await sluice(['validate', at('bad,1.yaml'), '-o', 'github']);
    assert.equal(code, 3);
    assert.match(
      stdout,
      /^::error file=.*bad%2C1\.yaml,line=3,col=32,endColumn=39,title=SL201::Unknown key 'job_nam'.* did you mean 'job_name'\?$/m,
    );
  });

  it('validate: a warning leaves a file good', async () => {
    const task = '{name: a, type: postgres_to_s3, source_table: t, s3_bucket: raw-data, file_format: parquet}';
    await writeFile(at('later.yaml'), `dag_id: later\ntasks: [${task}]\n`);
    const { code, stdout, stderr } = await sluice(['validate', at('later.yaml')]);
    assert.equal(code, 0);
    assert.match(stdout, /later\.yaml:2:\d+ {2}SL901 {2}Warning: 'file_format: parquet' .* does not support it yet/);
    assert.match(stderr, /1 of 1 files are valid\. 1 warning\./);
  });

  for (const template of ['etl', 'reconcile', 'retrain']) {
    it(`new pipeline --template ${template}: a draft, which is refused until each blank is filled`, async () => {
      const { code, stderr } = await sluice(['new', 'pipeline', `new_${template}`, '--template', template, '--to', folder.path]);
      assert.equal(code, 0, stderr);
      assert.match(await readFile(at(`new_${template}.yaml`), 'utf8'), new RegExp(`^dag_id: new_${template}$`, 'm'));
      const file = at(`new_${template}.yaml`);
      const lines = (await readFile(file, 'utf8')).split('\n');
      const blanks = lines.flatMap((line, index) => (/^ +\w+: #/.test(line) ? [index + 1] : []));
      const draft = await sluice(['validate', file, '-o', 'json']);
      assert.equal(draft.code, 3);
      const [{ diagnostics }] = JSON.parse(draft.stdout) as [{ diagnostics: { line: number; message: string }[] }];
      assert.deepEqual(
        diagnostics.map(({ line }) => line),
        blanks,
      );
      for (const { message } of diagnostics) assert.match(message, /not empty/);
      const filled = lines.map((line) =>
        line.replace(/^( +\w+:) #.*?(?:such as (.*))?$/, (_, key: string, example = 'orders') => `${key} ${example}`),
      );
      await writeFile(file, filled.join('\n'));
      const good = await sluice(['validate', file]);
      assert.equal(good.code, 0, good.stdout);
    });
  }

  it('new pipeline: leaves a file alone that exists, and refuses a name that cannot be', async () => {
    await writeFile(at('mine.yaml'), 'dag_id: mine\n');
    const twice = await sluice(['new', 'pipeline', 'mine', '--to', folder.path]);
    assert.deepEqual([twice.code, await readFile(at('mine.yaml'), 'utf8')], [1, 'dag_id: mine\n']);
    assert.match(twice.stderr, /mine\.yaml already exists\. Nothing was written/);
    const odd = await sluice(['new', 'pipeline', '../Mine', '--to', folder.path]);
    assert.equal(odd.code, 1);
    assert.match(odd.stderr, /is not a valid dag_id/);
  });

  it("test: the repository's own cases are as expected", async () => {
    const { code, stdout, stderr } = await sluice(['test']);
    assert.equal(code, 0, stdout);
    assert.match(stderr, /^([1-9]\d*) of \1 cases are as expected\.$/m);
  });

  it('test: shows what was expected and what came, and exits with 1', async () => {
    await writeFile(
      at('etl.test.yaml'),
      `pipeline: ${PIPELINE}\ncases:\n  - name: wishful\n    tasks: {extract_category_data: {fail: no disk}}\n    expect: {state: success}\n`,
    );
    const { code, stdout } = await sluice(['test', at('etl.test.yaml')]);
    assert.equal(code, 1);
    assert.match(stdout, /✘ wishful\n {4}the run is failed, not success/);
  });

  it('test: a run has the event that the case gives it, and fails without one', async () => {
    await writeFile(
      at('event.yaml'),
      'dag_id: e\ntriggers: [{name: t, type: kafka, topic: x}]\ntasks: [{name: a, type: empty, when: event.score > 0.7}]\n',
    );
    const cases = ['low, event: {score: 0.1}, expect: {tasks: {a: skipped}}', 'high, event: {score: 0.9}, expect: {tasks: {a: success}}'];
    const none = 'none, expect: {state: failed}';
    await writeFile(
      at('event.test.yaml'),
      `pipeline: event.yaml\ncases:\n${[...cases, none].map((each) => `  - {name: ${each}}\n`).join('')}`,
    );
    const { code, stdout } = await sluice(['test', at('event.test.yaml')]);
    assert.equal(code, 0, stdout);
  });

  it('test: a mistake in a test file has its place', async () => {
    await writeFile(at('typo.test.yaml'), `pipeline: ${PIPELINE}\ncases:\n  - name: x\n    expect: {stat: success}\n`);
    const { code, stderr } = await sluice(['test', at('typo.test.yaml')]);
    assert.equal(code, 1);
    assert.match(stderr, /typo\.test\.yaml:4:\d+ {2}cases\.0\.expect .*'stat'/);
  });

  it('run --param: what is unknown, missing or wrong is reported before anything starts', async () => {
    await writeFile(
      at('params.yaml'),
      'dag_id: p\nparams: {days: {type: integer, minimum: 1, default: 7}, who: {type: string}}\ntasks: [{name: a, type: empty}]\n',
    );
    const { code, stderr } = await sluice(['run', at('params.yaml'), '--param', 'days=0', '-p', 'x=1'], {
      TEMPORAL_ADDRESS: '127.0.0.1:1',
    });
    assert.equal(code, 1);
    assert.match(stderr, /'days' must be at least 1, not 0\.\n'who' must be given\.\n.*no parameter 'x'; declared: days, who/);
  });
});
