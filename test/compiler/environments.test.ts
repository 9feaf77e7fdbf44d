import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { loadPipelines } from '../../compiler/read/load-pipelines.ts';
import { compiler } from '../support/compiler.ts';
import { sluice } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('variables of environments', () => {
  let folder: { path: string; remove(): Promise<void> };
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder.path, file)), { recursive: true });
    await writeFile(join(folder.path, file), text);
  };
  const PIPELINE = `dag_id: orders
schedule_interval: "{{ vars.cron }}"
tasks:
  - {name: load, type: sql, conn_id: "{{ vars.warehouse }}", sql: "DELETE FROM {{vars.schema}}.orders WHERE day = {{ ds }}"}
  - {name: notice, type: http, conn_id: shop, path: /ready, retries: "{{ vars.retries }}"}
`;

  before(async () => {
    folder = await temporaryFolder();
    await write('package.json', '{"name": "acme"}');
    await write('environments/dev.yaml', 'vars: {cron: "@daily", warehouse: dev_warehouse, schema: dev, retries: 0}\n');
    await write('environments/prod.yaml', 'vars: {cron: "@hourly", warehouse: warehouse, schema: sales, retries: 5}\n');
    await write('pipelines/team/orders.yaml', PIPELINE);
  });
  after(() => folder.remove());

  async function compile(environment?: string, path = 'pipelines') {
    const [compilation] = compiler.compileAll(await loadPipelines(join(folder.path, path), environment));
    assert.ok(compilation);
    return compilation;
  }
  const codes = ({ diagnostics }: Awaited<ReturnType<typeof compile>>): string[] => diagnostics.map(({ code }) => code);

  it('replace texts in any place, keep the types of values, and are part of the plan and its hash', async () => {
    const [dev, prod] = [await compile('dev'), await compile('prod')];
    assert.deepEqual([codes(dev), codes(prod)], [[], []]);
    const [load, notice] = prod.plan?.tasks ?? [];
    assert.equal(load?.params.conn_id, 'warehouse');
    assert.equal(load.params.sql, 'DELETE FROM sales.orders WHERE day = {{ ds }}');
    assert.equal(notice?.retry.maximumAttempts, 6);
    assert.notEqual(dev.plan?.hash, prod.plan?.hash);
    assert.deepEqual(
      prod.filledIn.filter(({ what }) => what.startsWith('vars.')),
      [
        { what: 'vars.cron', value: '@hourly', why: 'environments/prod.yaml' },
        { what: 'vars.warehouse', value: 'warehouse', why: 'environments/prod.yaml' },
        { what: 'vars.schema', value: 'sales', why: 'environments/prod.yaml' },
        { what: 'vars.retries', value: '5', why: 'environments/prod.yaml' },
      ],
    );
  });

  it('are read in files of SQL, and choose the file', async () => {
    await write('pipelines/team/sql/prod/rows.sql', 'DELETE FROM {{ vars.schema }}.orders\nWHERE day = {{ ds }} AND x = {{ vars.none }}\n');
    await write('pipelines/team/orders.yaml', 'dag_id: a\ntasks: [{name: a, type: sql, sql_file: "sql/{{ vars.folder }}/rows.sql"}]\n');
    await write('environments/files.yaml', 'vars: {folder: prod, schema: s, none: 1}\n');
    const { plan, diagnostics } = await compile('files');
    assert.deepEqual(diagnostics, []);
    assert.match(String(plan?.tasks[0]?.params.sql), /^DELETE FROM s\.orders\nWHERE day = \{\{ ds \}\} AND x = 1/);
    await write('environments/files.yaml', 'vars: {folder: prod, schema: s}\n');
    const missing = await compile('files');
    await write('pipelines/team/orders.yaml', PIPELINE);
    await rm(join(folder.path, 'environments/files.yaml'));
    assert.deepEqual(codes(missing), ['SL114']);
  });

  it('are found for one file that is named alone', async () => {
    assert.deepEqual(codes(await compile('prod', 'pipelines/team/orders.yaml')), []);
  });

  it('without an environment: each place is a mistake that explains how to choose one', async () => {
    const { diagnostics, plan } = await compile();
    assert.equal(plan, undefined);
    const missing = diagnostics.filter(({ code }) => code === 'SL114');
    assert.deepEqual(codes({ diagnostics } as never), ['SL114', 'SL114', 'SL114', 'SL114']);
    assert.deepEqual(
      missing.map(({ line }) => line),
      [2, 4, 4, 5],
    );
    assert.equal(missing[0]?.message, "'vars.cron' needs an environment, and none is chosen.");
    assert.equal(missing[0].hint, 'choose one: --env dev, --env prod; or set SLUICE_ENV');
  });

  it('that the environment does not define: a mistake with the nearest name', async () => {
    await write('pipelines/team/orders.yaml', PIPELINE.replace('vars.warehouse', 'vars.warehuose'));
    const { diagnostics } = await compile('prod');
    await write('pipelines/team/orders.yaml', PIPELINE);
    const [first] = diagnostics.filter(({ code }) => code === 'SL114');
    assert.equal(first?.message, "The environment 'prod' does not define 'warehuose'.");
    assert.equal(first.hint, "did you mean 'warehouse'?");
  });

  it('an environment that does not exist, or whose file has a mistake, is refused', async () => {
    await assert.rejects(compile('prd'), {
      name: 'EnvironmentNotUsable',
      message: "There is no environment 'prd': the environments are dev, prod. Did you mean 'prod'?",
    });
    await assert.rejects(compile('../package'), { name: 'EnvironmentNotUsable' });
    for (const [text, message] of [
      ['vars: [a]', /must be a map with one key, `vars`, which is a map/],
      ['vars: {a: 1}\nvariables: {}', /it has 'variables'/],
      ['vars: {a: {b: 1}}', /'a' must be text, a number, true or false/],
      ['vars: {a: "{{ ds }}"}', /'a' must be one line, without '\{\{'/],
      ['vars: {a: 1, a: 2}', /cannot be read: .*unique/],
      ['vars: {"a b": 1}', /'a b' is not a name/],
    ] as const) {
      await write('environments/bad.yaml', text);
      await assert.rejects(compile('bad'), { name: 'EnvironmentNotUsable', message });
    }
  });

  it('never turn a value into an expression, and leave expressions of runs as they are', async () => {
    await write(
      'pipelines/team/orders.yaml',
      'dag_id: a\ntasks: [{name: a, type: http, path: "/{{ params.vars }}/{{ ds }}"}]\nparams: {vars: {type: string}}\n',
    );
    const { plan, diagnostics } = await compile();
    await write('pipelines/team/orders.yaml', PIPELINE);
    assert.deepEqual(diagnostics, []);
    assert.equal(plan?.tasks[0]?.params.path, '/{{ params.vars }}/{{ ds }}');
  });

  it('are all checked by `sluice validate`: a mistake of some environments names them', async () => {
    await write('environments/bad.yaml', 'vars: {cron: "@dayly", warehouse: w, schema: s, retries: 1}\n');
    const validate = (...args: string[]) => sluice(['validate', join(folder.path, 'pipelines'), ...args], {});
    const all = await validate();
    assert.equal(all.code, 3);
    assert.match(all.stdout, /orders\.yaml:2:20 +SL209[^\n]*\(environment: bad\)/);
    assert.match(all.stderr, /^1 mistake in 1 of 1 files\./);
    const [good, bad, missing] = [await validate('--env', 'prod'), await validate('--env=bad'), await validate('--env', 'tset')];
    assert.deepEqual([good.code, bad.code, missing.code], [0, 3, 1], good.stdout);
    assert.doesNotMatch(bad.stdout, /environment: bad/);
    assert.match(missing.stderr, /There is no environment 'tset'/);
  });
});
