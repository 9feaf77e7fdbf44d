import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { after, before, describe, it } from 'mocha';
import { CATALOG } from '../../activities/catalog.ts';
import { Compiler } from '../../compiler/compile.ts';
import { loadPipelines } from '../../compiler/read/load-pipelines.ts';
import { ROOT } from '../../lib/environment.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { allTasks, type Plan } from '../../workflows/plan/plan.ts';
import { createBucket, type TestBucket } from '../support/buckets.ts';
import { createYamlRuns, resultOf, RUN_DAY, type YamlRuns } from '../support/yaml-runs.ts';
import { testStack } from '../support/test-stack.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { TestProject } from '../support/test-project.ts';

const PICK_UP = `- route:
    from:
      uri: "file:{{inbox}}"
      parameters: {noop: true}
      steps:
        - choice:
            when:
              - simple: "\${file:name} == 'bad.txt'"
                steps: [{throwException: {exceptionType: java.lang.IllegalStateException, message: "line 3 is odd: {{ftp_password}}"}}]
        - to: "direct:next"
- route:
    from:
      uri: "direct:next"
      steps: [{to: "file:{{output}}"}]
`;

describe('camel_route', function () {
  this.timeout('2m');
  let runs: YamlRuns;
  let bucket: TestBucket;
  let project: TestProject;
  let inbox: { path: string; remove(): Promise<void> };

  before(async function () {
    this.timeout('20m');
    inbox = await temporaryFolder();
    const secrets = join(inbox.path, '.secrets.properties');
    await writeFile(secrets, 'ftp_password = correct-horse-battery\n');
    const { environment } = await testStack(['camel']);
    const connection = JSON.parse(environment.SLUICE_CONN_CAMEL_DEFAULT ?? '') as object;
    runs = await createYamlRuns({
      parts: ['temporal', 'postgres', 's3', 'camel'],
      environment: { SLUICE_CONN_CAMEL_DEFAULT: JSON.stringify({ ...connection, properties_file: secrets }) },
    });
    bucket = await createBucket();
    project = await TestProject.create({
      'sluice.config.ts': '',
      'routes/pick_up.yaml': PICK_UP,
      'routes/unknown.yaml': '- route:\n    from: {uri: "nosuch:x", steps: [{log: "x"}]}\n',
      'routes/endless.yaml': '- route:\n    from: {uri: "timer:x", parameters: {period: 200}, steps: [{log: "x"}]}\n',
      'routes/counting.yaml': '- onCompletion: {steps: [{log: "x"}]}\n',
    });
  });
  after(async () => {
    await runs.close();
    await bucket.drop();
    await project.remove();
    await inbox.remove();
  });

  /** Compiles a pipeline of the project. @returns the plan, or its mistakes */
  async function compile(keys: string): Promise<{ readonly plan: Plan | undefined; readonly mistakes: string }> {
    const task = `  - {name: pick_up, type: camel_route, s3_bucket: ${bucket.name}, idle: 1, ${keys}}\n`;
    await project.write({ 'pipelines/x.yaml': `dag_id: routes\ndefault_args: {retries: 0, heartbeat_timeout: 5s}\ntasks:\n${task}` });
    const [compiled] = new Compiler(CATALOG).compileAll(await loadPipelines(join(project.root, 'pipelines')));
    return {
      plan: compiled?.plan,
      mistakes: compiled?.diagnostics.map(({ code, message, hint }) => `${code} ${message} ${hint}`).join('\n') ?? '',
    };
  }

  async function run(keys: string): Promise<RunResult> {
    const { plan, mistakes } = await compile(keys);
    return resultOf(await start(plan ?? assert.fail(mistakes), {}));
  }

  async function start(plan: Plan, params: JsonObject) {
    const { pipelineRunId, temporalRunId } = await startManualRun(runs.client, plan, runs.taskQueue, RUN_DAY, `${Math.random()}`, params);
    return runs.client.workflow.getHandle(pipelineRunId, temporalRunId);
  }

  it('legacy_inventory: a file of fixed width is picked up by a route, and its lines become rows of the warehouse', async () => {
    const compiled = new Compiler(CATALOG).compileAll(await loadPipelines(join(ROOT, 'examples/integrations/pipelines')));
    const plan =
      compiled.find((each) => each.plan?.dagId === 'legacy_inventory')?.plan ??
      assert.fail(JSON.stringify(compiled.map(({ diagnostics }) => diagnostics)));
    await bucket.client.send(new CreateBucketCommand({ Bucket: 'legacy-inventory' })).catch((error: unknown) => {
      if (!(error instanceof Error) || !/^BucketAlready/.test(error.name)) throw error;
    });
    await runs.warehouse.rows(
      'CREATE TABLE legacy_inventory (product_id text, title text, site text, on_hand int, price numeric, counted_on date, PRIMARY KEY (product_id, site))',
    );
    const line = (sku: string, title: string, site: string, rest: string): string =>
      `D${sku.padEnd(8)}${title.padEnd(20)}${site}${rest}\r\n`;
    const lines = [
      line('A1', 'Käse', 'BER', '0000007000001250'),
      line('A2', 'Öl', 'XXX', '0000001000000100'),
      line('A3', 'Brot', 'ZZZ', '0000001000000100'),
    ];
    await writeFile(join(inbox.path, 'inventory-20261126.txt'), Buffer.from(`H\r\n${lines.join('')}T\r\n`, 'latin1'));
    const { state, tasks } = await resultOf(await start(plan, { inbox: inbox.path }));
    assert.equal(state, 'success', JSON.stringify(tasks));
    const { exchanges, format } = tasks.pick_up?.output as JsonObject;
    assert.deepEqual([exchanges, format], [1, 'files']);
    const { rows_read: read, rows, rows_left_out: out, rows_rejected: rejected } = tasks.read_inventory?.output as JsonObject;
    assert.deepEqual([read, rows, out, rejected], [5, 1, 3, 1]);
    assert.deepEqual(
      await runs.warehouse.rows('SELECT product_id, title, site, on_hand, price::text, counted_on::text FROM legacy_inventory'),
      [{ product_id: 'A1', title: 'Käse', site: 'BER', on_hand: 7, price: '12.5', counted_on: '2026-11-26' }],
    );
  });

  it('fails with the reason of the first failed exchange, at once, without secrets', async () => {
    const other = await temporaryFolder();
    await writeFile(join(other.path, 'bad.txt'), 'x');
    const { tasks } = await run(`route: pick_up, placeholders: {inbox: ${other.path}}`);
    assert.match(tasks.pick_up?.error ?? '', /^Route 'pick_up': an exchange failed: .*IllegalStateException: line 3 is odd: \*\*\*/);
    assert.doesNotMatch(JSON.stringify(tasks), /correct-horse/);
    await other.remove();
  });

  it('fails when the route cannot be started, and when it had nothing to do', async () => {
    assert.match(
      (await run('route: unknown')).tasks.pick_up?.error ?? '',
      /could not be started: .*No endpoint could be found for: nosuch:/,
    );
    const empty = await temporaryFolder();
    const { tasks } = await run(`route: pick_up, placeholders: {inbox: ${empty.path}}`);
    assert.match(tasks.pick_up?.error ?? '', /has completed 0 exchanges within 1 s without any, and `min_exchanges` is 1/);
    await empty.remove();
  });

  it('ends with its task', async () => {
    const { plan } = await compile('route: endless');
    const handle = await start(plan ?? assert.fail(), {});
    await eventually(() => Promise.resolve(assert.ok(routesRunning() > 0)), 30_000);
    await handle.cancel();
    await assert.rejects(handle.result(), /cancelled/);
    await eventually(() => Promise.resolve(assert.equal(routesRunning(), 0)), 20_000);
  });

  it('its route is a file of routes/, which becomes part of the plan', async () => {
    const { plan } = await compile('route: pick_up');
    const [task] = allTasks(plan ?? assert.fail());
    assert.equal(task?.params.definition, PICK_UP);
    for (const [keys, message] of [
      ['route: pickup', /SL113 File '.*routes\/pickup\.yaml' does not exist.*did you mean 'pick_up'/],
      ['route: ../pipelines/x', /SL\d+ /],
      ['route: "{{ dag_id }}"', /SL\d+ /],
      ['route: counting', /uses 'onCompletion', with which Sluice counts/],
      ["definition: '- route: {}'", /'definition' cannot be written in a pipeline/],
      ['route: pick_up, placeholders: {inbox: "/x?delete=true"}', /text without line breaks/],
      ['route: pick_up, placeholders: {inbox: "/x%3Fdelete=true"}', /text without line breaks/],
      ['route: pick_up, placeholders: {inbox: "in/../../etc"}', /text without line breaks/],
      ['route: pick_up, placeholders: {camel.main.x: a}', /SL\d+ /],
    ] as const) {
      const { plan: none, mistakes } = await compile(keys);
      assert.match(mistakes, message, keys);
      assert.equal(none, undefined, keys);
    }
  });
});

/** The number of Java processes that run a route. */
function routesRunning(): number {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return /sluice-camel-.*org\.apache\.camel\.main\.Main/s.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    } catch {
      return false;
    }
  }).length;
}
