import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { CATALOG } from '../../../activities/catalog.ts';
import { listBrokenFiles } from '../../../compiler/read/broken-files.ts';
import type { Compilation } from '../../../compiler/compile.ts';
import { loadPipelines } from '../../../compiler/read/load-pipelines.ts';
import { TRIGGERS } from '../../../sensors/catalog.ts';
import { compiler } from '../../support/compiler.ts';

interface Schema {
  readonly template?: string;
  readonly holds?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

describe('SQL in files', () => {
  let root: string;
  let folder: string;
  before(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'sluice-sql-')));
    folder = join(root, 'pipelines');
    await write('sql/orders.sql', 'SELECT id\nFROM orders\nWHERE day = {{ ds }};\n');
    await write('sql/count.sql', '\ufeff-- how many\r\nSELECT count(*) FROM orders\r\n');
    await write('sql/wrong.sql', 'SELECT *\nFROM orders\nWHERE day = {{ dss }} AND x = {{ params.n }}\n');
    await write('../outside.sql', 'SELECT 1');
    await symlink(join(root, 'outside.sql'), join(folder, 'sql', 'link_out.sql'));
    await symlink(join(folder, 'sql', 'orders.sql'), join(folder, 'sql', 'link_in.sql'));
  });
  after(() => rm(root, { recursive: true, force: true }));

  async function write(path: string, content: string | Uint8Array): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }

  /** Compiles a pipeline file at `path`, named alone or found in its folder. */
  async function compile(text: string, path = 'x.yaml', from = folder): Promise<Compilation> {
    await write(path, text);
    try {
      const compiled = compiler.compileAll(await loadPipelines(from));
      return compiled.find(({ file }) => file === relative(process.cwd(), join(folder, path))) ?? assert.fail('not loaded');
    } finally {
      await rm(join(folder, path));
    }
  }

  const fileOf = (task: string): string => `dag_id: x\nparams: {n: 1}\ntasks:\n  - ${task}\n`;
  const told = ({ diagnostics }: Compilation): string[] =>
    diagnostics.map(
      ({ file, code, line, column, message, hint = '' }) =>
        `${relative(folder, join(process.cwd(), file))}:${line}:${column} ${code} ${message}${hint === '' ? '' : ` (${hint})`}`,
    );

  it('is the SQL of each key that takes a statement, as if it were written there', async () => {
    const cases: readonly (readonly [task: string, written: string])[] = [
      ['{name: a, type: sql, sql_file: sql/orders.sql}', '{name: a, type: sql, sql: @}'],
      ['{name: a, type: wait_for_sql, sql_file: ./sql/orders.sql}', '{name: a, type: wait_for_sql, sql: @}'],
      [
        '{name: a, type: postgres_to_s3, s3_bucket: raw-data, sql_file: sql/link_in.sql}',
        '{name: a, type: postgres_to_s3, s3_bucket: raw-data, query: @}',
      ],
      [
        '{name: a, type: sql_check, checks: [{name: c, sql_file: sql/orders.sql, min: 1}]}',
        '{name: a, type: sql_check, checks: [{name: c, sql: @, min: 1}]}',
      ],
      [
        '{name: a, type: reconcile, key: [id], source: {conn_id: p, sql_file: sql/orders.sql}, target: {conn_id: q, table: t}}',
        '{name: a, type: reconcile, key: [id], source: {conn_id: p, query: @}, target: {conn_id: q, table: t}}',
      ],
    ];
    for (const [task, written] of cases) {
      const inFile = await compile(fileOf(task));
      assert.ok(inFile.plan, told(inFile).join('\n'));
      const inline = compiler.compile({
        file: 'x.yaml',
        text: fileOf(written.replace('@', JSON.stringify('SELECT id\nFROM orders\nWHERE day = {{ ds }};\n'))),
      });
      assert.deepEqual(inFile.plan, inline.plan, task);
    }
    const trigger = await compile(
      'dag_id: x\ntriggers: [{name: t, type: sql, cursor: id, sql_file: sql/count.sql}]\ntasks: [{name: a, type: empty}]\n',
    );
    assert.equal(
      JSON.stringify(trigger.plan?.triggers?.[0]).includes('-- how many\\nSELECT count(*) FROM orders\\n'),
      true,
      told(trigger).join(),
    );
  });

  it('is a key beside each that takes a statement, in every type of task and trigger', () => {
    const found: string[] = [];
    const walk = ({ properties = {}, items }: Schema, path: string): void => {
      const isHeld = (key: string): boolean => properties.sql_file?.holds === key;
      for (const [key, schema] of Object.entries(properties)) {
        const isSql = schema.template === 'sql' || (path === 'trigger sql' && key === 'query');
        if (isSql && key !== 'where') assert.ok(isHeld(key), `${path}.${key} has no sql_file beside it`);
        if (key === 'sql_file') found.push(path);
        walk(schema, `${path}.${key}`);
      }
      if (items) walk(items, `${path}[]`);
    };
    for (const { type, params } of CATALOG) walk(params, type);
    for (const { type, params } of TRIGGERS) walk(params, `trigger ${type}`);
    assert.deepEqual(found.sort(), [
      'postgres_to_s3',
      'reconcile.source',
      'reconcile.target',
      'sql',
      'sql_check.checks[]',
      'trigger sql',
      'wait_for_sql',
    ]);
  });

  it('is read by its path from the pipeline, within the folder of pipelines', async () => {
    const task = fileOf('{name: a, type: sql, sql_file: ../../sql/orders.sql}');
    const inFolder = await compile(task, 'team/daily/x.yaml');
    const alone = await compile(task, 'team/daily/x.yaml', join(folder, 'team/daily/x.yaml'));
    assert.ok(inFolder.plan, told(inFolder).join());
    assert.deepEqual(alone.plan, inFolder.plan);
  });

  it('changes the plan when the file changes', async () => {
    await write('sql/edited.sql', 'SELECT 1');
    const task = fileOf('{name: a, type: sql, sql_file: sql/edited.sql}');
    const one = await compile(task);
    await write('sql/edited.sql', 'SELECT 2');
    const other = await compile(task);
    assert.deepEqual([one.plan?.tasks[0]?.params.sql, other.plan?.tasks[0]?.params.sql], ['SELECT 1', 'SELECT 2']);
    assert.notEqual(one.plan?.hash, other.plan?.hash);
  });

  it('shows mistakes in it in that file', async () => {
    const found = await compile(fileOf('{name: a, type: sql, sql_file: sql/wrong.sql}'));
    assert.deepEqual(
      told(found).map((each) => each.split(' ').slice(0, 2).join(' ')),
      ['sql/wrong.sql:3:16 SL502'],
    );
    assert.equal(found.diagnostics[0]?.sourceLine, 'WHERE day = {{ dss }} AND x = {{ params.n }}');
    const [broken] = listBrokenFiles([{ file: found.file, text: '' }], [found], new Map());
    assert.match(broken?.mistake ?? '', /sql\/wrong\.sql:3:16 SL502/);
    await write('sql/commits.sql', 'DELETE FROM t;\nCOMMIT;\n');
    assert.match(told(await compile(fileOf('{name: a, type: sql, sql_file: sql/commits.sql}'))).join(), /^x\.yaml:4:\d+ SL208 .*COMMIT/);
    await write('sql/open.sql', 'SELECT\n  {{ ds');
    assert.match(told(await compile(fileOf('{name: a, type: sql, sql_file: sql/open.sql}'))).join(), /^sql\/open\.sql:2:3 SL501/);
    await write('sql/name.sql', 'SELECT * FROM\n  t_{{ ds_nodash }}\n');
    assert.match(told(await compile(fileOf('{name: a, type: sql, sql_file: sql/name.sql}'))).join(), /^sql\/name\.sql:2:\d+ SL510/);
  });

  it('is refused once, at its name, where it cannot be read', async () => {
    await write('sql/latin.sql', Uint8Array.from([0x53, 0xe9, 0x53]));
    await write('sql/nul.sql', 'SELECT \0');
    await write('sql/blank.sql', ' \n');
    await write('sql/large.sql', '');
    await truncate(join(folder, 'sql/large.sql'), 1024 * 1024 + 1);
    await write('.hidden/a.sql', 'SELECT 1');
    const cases: readonly (readonly [name: string, message: RegExp])[] = [
      ['sql/order.sql', /File '.*sql\/order\.sql' does not exist\. \(did you mean 'sql\/orders\.sql'\?\)/],
      ['nowhere/x.sql', /File '.*nowhere\/x\.sql' does not exist/],
      ['sql/orders.sql/x', /does not exist/],
      ['sql', /'.*sql' is not a regular file, but a pipe, a device or a folder/],
      ['.', /not a regular file|link/],
      ['../outside.sql', /'\.\.\/outside\.sql' is outside of the folder of pipelines/],
      ['sql/../../outside.sql', /is outside of the folder of pipelines/],
      ['sql/link_out.sql', /links to a file outside of the folder of pipelines/],
      ['/etc/hostname', /'\/etc\/hostname' is not a path relative to the pipeline's file/],
      ['C:/x.sql', /is not a path relative to the pipeline's file/],
      ["'sql\\orders.sql'", /is not a path relative to the pipeline's file/],
      ['.hidden/a.sql', /is a hidden file/],
      ['sql/latin.sql', /is not text in UTF-8/],
      ['sql/nul.sql', /is not text in UTF-8/],
      ['sql/blank.sql', /is empty/],
      ['sql/large.sql', /has 1,048,577 bytes; such a file may have at most 1,048,576/],
      ["'sql/{{ ds }}.sql'", /does not accept expressions/],
    ];
    const tasks = [
      (name: string) => `{name: a, type: sql, sql_file: ${name}}`,
      (name: string) => `{name: a, type: postgres_to_s3, s3_bucket: raw-data, sql_file: ${name}}`,
      (name: string) => `{name: a, type: sql_check, checks: [{name: c, min: 1, sql_file: ${name}}]}`,
      (name: string) => `{name: a, type: reconcile, key: [id], target: {conn_id: q, table: t}, source: {conn_id: p, sql_file: ${name}}}`,
    ];
    for (const [name, message] of cases) {
      for (const task of tasks) {
        const text = fileOf(task(name));
        const found = told(await compile(text));
        const column = text.split('\n')[3]?.indexOf(`sql_file: ${name}`) ?? 0;
        assert.equal(found.length, 1, found.join('\n'));
        assert.match(found[0] ?? '', message);
        assert.ok(found[0]?.startsWith(`x.yaml:4:${column + 11} SL113 `), found[0]);
      }
    }
  });

  it('replaces the SQL, and is never used together with it', async () => {
    const cases: readonly (readonly [task: string, message: RegExp])[] = [
      [
        '{name: a, type: sql, sql: SELECT 1, sql_file: sql/orders.sql}',
        /^x\.yaml:4:41 SL208 'sql_file' and 'sql' exclude each other\. \(keep one of them\)$/,
      ],
      [
        '{name: a, type: postgres_to_s3, s3_bucket: raw-data, query: SELECT 1, sql_file: sql/orders.sql}',
        /SL208 'sql_file' and 'query' exclude each other/,
      ],
      [
        '{name: a, type: postgres_to_s3, s3_bucket: raw-data, source_table: t, sql_file: sql/orders.sql}',
        /^x\.yaml:4:75 SL208 'sql_file' and 'source_table' exclude each other/,
      ],
      ['{name: a, type: postgres_to_s3, s3_bucket: raw-data}', /SL208 One of source_table, query, sql_file is missing/],
      ['{name: a, type: sql}', /SL202 'sql' is missing/],
      ['{name: a, type: sql, sql_file: 5}', /^x\.yaml:4:36 SL203 'sql_file' must be text/],
      ['{name: a, type: sql, query_file: sql/orders.sql}', /SL201 .*use 'sql_file'/],
      ['{name: a, type: empty, sql_file: sql/orders.sql}', /SL201 Unknown key 'sql_file'.*belongs to .*sql/],
    ];
    for (const [task, message] of cases) assert.match(told(await compile(fileOf(task))).join('\n'), message, task);
  });

  it('counts with the pipeline for what one may have', async () => {
    await write('sql/half.sql', `SELECT 1 -- ${'x'.repeat(400_000)}`);
    const three = [1, 2, 3].map((n) => `{name: t${n}, type: sql, sql_file: sql/half.sql}`).join('\n  - ');
    assert.match(
      told(await compile(fileOf(three))).join('\n'),
      /^x\.yaml:6:\d+ SL113 With its files, the pipeline has more than 1,048,576/,
    );
  });

  it('is not read where a pipeline has no folder', () => {
    const { diagnostics } = compiler.compile({ file: 'x.yaml', text: fileOf('{name: a, type: sql, sql_file: sql/orders.sql}') });
    assert.deepEqual(
      diagnostics.map(({ code, message }) => `${code} ${message}`),
      ["SL113 'sql_file' needs a folder, but this pipeline is not read from one."],
    );
  });
});
