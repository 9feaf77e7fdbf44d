import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { ROOT } from '../../lib/environment.ts';
import { connectClient } from '../../temporal/connect.ts';
import { applyChange, listSchedules } from '../../temporal/schedules/schedules.ts';
import { compiler } from '../support/compiler.ts';
import { eventually } from '../support/eventually.ts';
import { sluice } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { testStack } from '../support/test-stack.ts';

const PIPELINE =
  'dag_id: cli_sample\nschedule_interval: "@daily"\ntasks:\n  - {name: a, type: postgres_to_s3, source_table: t, s3_bucket: raw-data}\n';
const NOBODY = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

describe('sluice', () => {
  let folder: { path: string; remove(): Promise<void> };
  let environment: Record<string, string>;

  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal']));
    folder = await temporaryFolder();
    await writeFile(join(folder.path, 'good.yaml'), PIPELINE);
    await writeFile(join(folder.path, 'bad.yaml'), PIPELINE.replace('source_table', 'sorce_table').replace('cli_sample', 'bad_sample'));
  });
  after(() => folder.remove());

  it('validate: 0 for good files', async () => {
    const { code, stderr } = await sluice(['validate', join(folder.path, 'good.yaml')]);
    assert.deepEqual([code, stderr], [0, '1 of 1 files are valid.\n']);
  });

  it('validate: 3 for mistakes, each with its place, a caret and the likely fix', async () => {
    const { code, stdout } = await sluice(['validate', folder.path]);
    assert.equal(code, 3);
    assert.match(stdout, /bad\.yaml:4:37 {2}SL201 {2}Unknown key 'sorce_table'[^]*\^{11} did you mean 'source_table'\?/);
  });

  it('validate -o json: data for programs', async () => {
    const { stdout } = await sluice(['validate', folder.path, '-o', 'json']);
    const files = JSON.parse(stdout) as { dag_id: string | null; diagnostics: { code: string }[] }[];
    assert.deepEqual(
      files.map(({ dag_id, diagnostics }) => [dag_id, diagnostics.map(({ code }) => code)]),
      [
        [null, ['SL201']],
        ['cli_sample', []],
      ],
    );
  });

  it('plan: 2 for changes, with the next five runs and what was filled in', async () => {
    const { code, stdout } = await sluice(['plan', join(folder.path, 'good.yaml')], { ...environment, SLUICE_TASK_QUEUE: 'cli-test' });
    assert.equal(code, 2);
    assert.match(stdout, /\+ cli_sample {2}create/);
    assert.equal(stdout.match(/T00:00:00Z$/gm)?.length, 5);
  });

  it('plan: without a Temporal server, the next runs and what was filled in', async () => {
    const { code, stdout, stderr } = await sluice(['plan', join(ROOT, 'pipelines', 'product_category_etl.yaml')], NOBODY);
    assert.equal(code, 0);
    assert.match(stderr, /No Temporal server answers at 127\.0\.0\.1:1[^]*not compared with what is applied/);
    assert.match(stdout, /^\* product_category_etl {2}compiled/);
    assert.match(stdout, /filled in\n {4}depends_on: extract_category_data → /);
    assert.equal(stdout.match(/T00:00:00Z$/gm)?.length, 5);
  });

  it('plan: against what was applied, a diff in words of YAML, pauses and deletions', async () => {
    const taskQueue = `plan-${randomUUID().slice(0, 8)}`;
    const settings = { ...environment, SLUICE_TASK_QUEUE: taskQueue };
    const [dagId, gone] = [`plan_${randomUUID().slice(0, 8)}`, `plan_${randomUUID().slice(0, 8)}`];
    const file = (path: string): string =>
      `dag_id: ${dagId}\nschedule_interval: "@daily"\ntasks:\n  - {name: load, type: http, path: ${path}}\n  - {name: end, type: empty}\n`;
    const client = await connectClient(settings);
    const there = await temporaryFolder();
    try {
      for (const [name, text] of Object.entries({ a: file('/v1'), b: file('/v1').replace(dagId, gone) })) {
        const { plan } = compiler.compile({ file: 'x.yaml', text });
        assert.ok(plan);
        const source = { project: basename(there.path), file: `pipelines/${name}.yaml` };
        await applyChange(client, { dagId: plan.dagId, action: 'create', detail: '', plan, source }, taskQueue);
      }
      await client.schedule.getHandle(dagId).pause('ann: the service moves');
      await mkdir(join(there.path, 'pipelines'));
      await writeFile(join(there.path, 'pipelines', 'a.yaml'), file('/v2'));
      await eventually(async () => {
        const found = await listSchedules(client, taskQueue);
        assert.deepEqual([found.length, found.some(({ paused }) => paused)], [2, true]);
      }, 20_000);
      const { code, stdout } = await sluice(['plan', join(there.path, 'pipelines', 'a.yaml')], settings);
      assert.equal(code, 2);
      assert.match(stdout, new RegExp(`~ ${dagId} {2}update`));
      assert.match(stdout, /paused until `sluice resume plan_\w+`: ann: the service moves/);
      assert.match(stdout, /\n {6} {2}- name: load\n[^]*\n {4}- {5}path: \/v1\n {4}\+ {5}path: \/v2\n/);
      assert.doesNotMatch(stdout, new RegExp(gone));
      const whole = await sluice(['plan', join(there.path, 'pipelines')], settings);
      assert.match(whole.stdout, new RegExp(`- ${gone} {2}delete {2}\\(pipelines/b.yaml is gone\\)\n {2}not carried out: \`--prune\``));
    } finally {
      await Promise.all(
        [dagId, gone].map((id) =>
          client.schedule
            .getHandle(id)
            .delete()
            .catch(() => undefined),
        ),
      );
      await client.connection.close();
      await there.remove();
    }
  });

  it('plan: shows what starts a pipeline without a schedule', async () => {
    const { stdout } = await sluice(['plan', join(ROOT, 'pipelines', 'recommendation_model_retraining.yaml')], environment);
    assert.match(stdout, /starts on user_behavior_change: kafka user-behavior-metrics, when /);
    assert.doesNotMatch(stdout, /by hand/);
  });

  it('run: an unknown pipeline is named, with the nearest', async () => {
    const { code, stderr } = await sluice(['run', 'product_category_elt'], environment);
    assert.equal(code, 1);
    assert.match(stderr, /No valid pipeline 'product_category_elt'.*Did you mean 'product_category_etl'\?/);
  });

  it('run: the same logical date is refused the second time, and says that no worker is there', async () => {
    const settings = { ...environment, SLUICE_TASK_QUEUE: 'cli-nobody' };
    // The suite's server remembers earlier suites.
    const dagId = `cli_${randomBytes(4).toString('hex')}`;
    await writeFile(join(folder.path, 'once.yml'), PIPELINE.replace('cli_sample', dagId));
    const args = ['run', join(folder.path, 'once.yml'), '--logical-date', '2024-01-01'];
    const first = await sluice(args, settings);
    assert.deepEqual([first.code, first.stdout], [0, `${dagId}/manual/2024-01-01T00:00:00Z\n`]);
    assert.match(first.stderr, /No worker responds on task queue 'cli-nobody'/);
    const second = await sluice(args, settings);
    assert.equal(second.code, 1);
    assert.match(second.stderr, new RegExp(`Run '${dagId}/manual/2024-01-01T00:00:00Z' exists already`));
  });

  it('run: a logical date that is not an interval is explained', async () => {
    const { code, stderr } = await sluice(['run', join(folder.path, 'good.yaml'), '--logical-date', '2024-01-01T05:00:00Z'], environment);
    assert.equal(code, 1);
    assert.match(stderr, /No data interval of cli_sample starts at 2024-01-01T05:00:00Z\. It lies in the interval 2024-01-01T00:00:00Z/);
  });

  it('backfill: shows what it would run and why; then starts it; then it can be watched and ended', async () => {
    const dagId = `cli_${randomBytes(4).toString('hex')}`;
    const file = join(folder.path, `${dagId}.yml`);
    await writeFile(file, PIPELINE.replace('cli_sample', dagId));
    const settings = { ...environment, SLUICE_TASK_QUEUE: 'cli-nobody' };
    const args = ['backfill', file, '--from', '2024-01-01', '--to', '2024-01-03'];
    const dry = await sluice([...args, '--dry-run'], settings);
    assert.equal(dry.code, 0);
    assert.match(dry.stderr, /3 of 3 intervals would run, at most 1 at the same time/);
    assert.match(dry.stdout, /▶ +2024-01-03T00:00:00Z +2024-01-04T00:00:00Z +never ran/);
    const started = await sluice(args, settings);
    const backfill = `${dagId}/backfills/2024-01-01T00:00:00Z/2024-01-03T23:59:59.999Z`;
    assert.deepEqual([started.code, started.stdout], [0, `${backfill}\n`]);
    const again = await sluice(args, settings);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /A backfill of this range is running/);
    const unanswered = await sluice(['backfills', 'pause', backfill], settings);
    assert.equal(unanswered.code, 1);
    assert.match(unanswered.stderr, /does not answer: is a worker running for its task queue\?/);
    // It does not keep the others from being shown.
    const listed = await sluice(['backfills'], settings);
    assert.equal(listed.code, 0);
    assert.match(listed.stdout, new RegExp(`${dagId}/backfills/.*no worker responds`));
    const cancelled = await sluice(['backfills', 'cancel', backfill], settings);
    assert.equal(cancelled.code, 0);
    // No worker is there that would carry it out.
    const client = await connectClient(environment);
    await client.workflow.getHandle(backfill).terminate();
    await client.connection.close();
    const unknown = await sluice(['backfills', 'cancel', 'nobody/backfills/x/y'], settings);
    assert.deepEqual([unknown.code, unknown.stderr], [1, "There is no run 'nobody/backfills/x/y'. `sluice runs` lists them.\n"]);
  });

  it('backfill: an invalid range is refused', async () => {
    const file = join(folder.path, 'good.yaml');
    const refused = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await sluice(['backfill', file, ...args], environment);
      assert.equal(code, 1);
      return stderr;
    };
    assert.match(await refused('--from', '2024-01-02', '--to', '2024-01-01'), /--from 2024-01-02 is after --to 2024-01-01/);
    assert.match(await refused('--from', 'monday', '--to', '2024-01-01'), /'monday' is not a date such as 2024-01-31/);
    assert.match(
      await refused('--from', '2999-01-01', '--to', '2999-01-02'),
      /No complete data interval of cli_sample starts between 2999-01-01/,
    );
    assert.match(await refused('--from', '2024-01-01', '--to', '2024-01-02', '--max-active', '0'), /Must be a whole number from 1 to 9999/);
  });

  it('ticks: of a pipeline that is not applied', async () => {
    const { code, stderr } = await sluice(['ticks', 'nobody_applied_this'], environment);
    assert.equal(code, 1);
    assert.match(stderr, /There is no schedule 'nobody_applied_this' in Temporal: apply the pipeline with scheduler\.ts/);
  });

  it('show: an unknown run is said to be unknown', async () => {
    const { code, stderr } = await sluice(['show', 'nobody/manual/x'], environment);
    assert.deepEqual([code, stderr], [1, "There is no run 'nobody/manual/x'. `sluice runs` lists them.\n"]);
  });

  it('schema and explain need no server', async () => {
    const schema = JSON.parse((await sluice(['schema'], NOBODY)).stdout) as { properties: object };
    assert.ok('dag_id' in schema.properties);
    assert.match((await sluice(['explain', 'sl303'], NOBODY)).stdout, /cycle/);
  });

  it('4 when no Temporal server answers, with what to do', async () => {
    const commands = [['run', 'product_category_etl'], ['runs'], ['show', 'x'], ['doctor'], ['sensors']];
    await Promise.all(
      commands.map(async (args) => {
        const { code, stdout, stderr } = await sluice(args, NOBODY);
        assert.equal(code, 4, args[0]);
        assert.match(stdout + stderr, /No Temporal server answers at 127\.0\.0\.1:1.*npm start/s);
      }),
    );
  });
});
