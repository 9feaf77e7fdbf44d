import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { CATALOG } from '../../activities/catalog.ts';
import type { TaskType } from '../../activities/define-task.ts';
import { COMMON_TASK_KEYS, TASK_OPTIONS } from '../../compiler/schema/task-keys.ts';
import { TRIGGERS } from '../../sensors/catalog.ts';
import { isMap, type JsonObject } from '../../workflows/plan/values/json.ts';
import { compiler } from '../support/compiler.ts';
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
    const schemas = {
      './pipeline.schema.json': ['*.yaml', '!*.test.yaml', '!defaults.yaml'],
      './defaults.schema.json': ['defaults.yaml'],
    };
    assert.deepEqual(written, { 'yaml.schemas': schemas });
    await writeFile(settings, JSON.stringify({ 'editor.rulers': [100], 'yaml.schemas': { other: 'x/*.yaml' } }));
    assert.equal((await sluice(['schema', '--write', folder.path])).code, 0);
    const kept = JSON.parse(await readFile(settings, 'utf8')) as object;
    assert.deepEqual(kept, {
      'editor.rulers': [100],
      'yaml.schemas': { other: 'x/*.yaml', ...schemas },
    });
  });

  for (const name of readdirSync('pipelines').filter((each) => /(?<!\.test)\.yaml$/.test(each))) {
    it(`finds nothing wrong with pipelines/${name}`, async () => {
      const { found } = await open(readFileSync(join('pipelines', name), 'utf8').split('\n'));
      assert.deepEqual(found, []);
    });
  }

  const isGood = (lines: readonly string[]): boolean =>
    compiler.compile({ file: 'x.yaml', text: lines.join('\n') }).diagnostics.every(({ severity }) => severity === 'warning');
  const HEAD = ['dag_id: x', 'params: {p: {default: null}}', 'execution: graph'];

  /** A task each with an expression in place of one value, wherever the compiler takes one. */
  const templated = ({ example, params, type }: TaskType): JsonObject[] => {
    const keys = [...Object.keys(params.properties), ...Object.keys(TASK_OPTIONS)].filter((key) => key !== 'type');
    return keys.flatMap((key, index): JsonObject[] => {
      const value = example[key];
      const places = [
        { ...example, [key]: '{{ params.p }}' },
        ...(Array.isArray(value) ? [{ ...example, [key]: ['{{ params.p }}', ...value.slice(1)] }] : []),
        ...(isMap(value) ? Object.keys(value).map((inner) => ({ ...example, [key]: { ...value, [inner]: '{{ params.p }}' } })) : []),
      ];
      return places
        .map((task, at) => ({ ...task, name: `${type}_${index}_${at}` }))
        .filter((task) => isGood([...HEAD, `tasks: [${JSON.stringify(task)}]`]));
    });
  };

  for (const type of CATALOG) {
    it(`finds nothing wrong where validate finds nothing: expressions in each key of ${type.type}`, async () => {
      const tasks = [type.example, ...templated(type)];
      const { found } = await open([...HEAD, 'tasks:', ...tasks.map((task) => `  - ${JSON.stringify(task)}`)]);
      assert.deepEqual(found, [], JSON.stringify(tasks, undefined, 1));
    });

    it(`offers keys of ${type.type}, and of no other type`, async () => {
      const { file, cursor } = await open(['dag_id: x', 'tasks:', '  - name: a', `    type: ${type.type}`, '    |']);
      const offered = new Set(await server.complete(file, cursor));
      // The type's own name stands for all the keys that it needs.
      const own = new Set([...Object.keys(type.params.properties), ...COMMON_TASK_KEYS]);
      assert.deepEqual(
        [
          [...offered].filter((key) => !own.has(key) && key !== type.type),
          [...own].filter((key) => !offered.has(key) && key !== 'name' && key !== 'type'),
        ],
        [[], []],
      );
    });
  }

  for (const { type, example } of TRIGGERS) {
    it(`finds nothing wrong with a trigger of type ${type}`, async () => {
      const { found } = await open([
        'dag_id: x',
        `triggers: [${JSON.stringify({ ...example, params: { a: '{{ event.x }}', n: 1 } })}]`,
        'tasks: [{name: a, type: empty}]',
      ]);
      assert.deepEqual(found, []);
    });
  }

  it('finds nothing wrong with what is written in many ways', async () => {
    const lines = [
      'dag_id: x',
      'schedule: {every: 15m, timezone: Europe/Berlin}',
      'start_date: 2024-01-01',
      'params: {a: 02142, b: null, c: {default: [1]}, d: {type: [integer, "null"], default: null}, when_at: 2024-01-31 10:00:00}',
      'default_args: {retries: 2, retry_delay: 90s, execution_timeout: "1h30m", owner: x}',
      'catchup: {mode: latest, window: 7d}',
      'sla: {max_duration: 2h}',
      'x-slow: &slow {retries: 4, execution_timeout: 3h}',
      'x-other: [&large {pool: large}, {retires: 1}]',
      'alerts: {pagerduty: {conn_id: on_call}, slack: {}, waiting: {webhook: {conn_id: hook}}}',
      'tasks:',
      '  - {name: a, type: http, path: "/{{ ds }}", timeout: 5m, expect: {status: [200]}, idempotency_key: "{{ params.d == 1 }}"}',
      '  - {name: b, type: empty, switch: {on: "params.d == 1", cases: {"true": [c], no: [d]}}, depends_on: [a]}',
      '  - {name: c, type: empty, depends_on: [b]}',
      '  - {name: d, type: sql, sql: SELECT 1, depends_on: [b], when: "true", expand: {over: [1, 2], as: n}}',
      '  - {<<: [*slow, *large], name: e, type: sql, sql: SELECT 1, depends_on: [d], retries: 1}',
      'task_groups: [{name: o, default_args: {retries: 1}, task_groups: [{name: i, default_args: {pool: p}, depends_on: [f], tasks: [{name: g, type: empty}]}], tasks: [{name: f, type: empty, depends_on: [d]}]}]',
    ];
    const { found } = await open(lines);
    const mistakes = compiler
      .compile({ file: 'x.yaml', text: lines.join('\n') })
      .diagnostics.filter(({ severity }) => severity === 'error');
    assert.deepEqual([found, mistakes.map(({ message }) => message)], [[], []]);
  });

  it('finds nothing wrong with SQL in files', async () => {
    const { found } = await open([
      'dag_id: x',
      'triggers: [{name: t, type: sql, sql_file: sql/rows.sql, cursor: id}]',
      'tasks:',
      '  - {name: a, type: sql, sql_file: sql/a.sql}',
      '  - {name: b, type: wait_for_sql, sql_file: sql/a.sql}',
      '  - {name: c, type: postgres_to_s3, sql_file: sql/a.sql, s3_bucket: raw-data}',
      '  - {name: d, type: sql_check, checks: [{name: x, sql_file: sql/a.sql, min: 1}]}',
      '  - {name: e, type: reconcile, key: [id], source: {conn_id: p, sql_file: sql/a.sql}, target: {conn_id: q, table: t}}',
    ]);
    assert.deepEqual(found, []);
  });

  it('underlines an unknown key of a task at its position', async () => {
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
