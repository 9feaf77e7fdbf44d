import assert from 'node:assert/strict';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { ROOT } from '../../lib/environment.ts';
import { listRuns, RunExists, startManualRun } from '../../temporal/runs/runs.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { dataIntervalAt } from '../../workflows/plan/timetable/schedule.ts';
import { eventually } from '../support/eventually.ts';
import { assertNoOrphans } from '../support/interval-objects.ts';
import { startProcess } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { IS_FULL, randomCases } from '../support/random-cases.ts';
import { categoryForests, placesOf } from '../support/shipped/category-forests.ts';
import { createTestPipeline, seedPlan, type TestPipeline } from '../support/test-pipeline.ts';

const ROWS = 120_000;
const DAY = { start: '2024-05-01T00:00:00Z', end: '2024-05-02T00:00:00Z' };

describe('product_category_etl, the document as analysts wrote it', function () {
  this.timeout(IS_FULL ? '1h' : '5m');
  let pipeline: TestPipeline;

  before(async function () {
    this.timeout('20m');
    pipeline = await createTestPipeline(ROWS);
    await pipeline.startWorker();
  });
  after(() => pipeline.close());

  async function result(pipelineRunId: string): Promise<RunResult> {
    return (await pipeline.client.workflow.getHandle(pipelineRunId).result()) as RunResult;
  }

  it(`loads ${ROWS} rows that equal what SQL alone makes of them`, async () => {
    const { client, taskQueue, environment, source } = pipeline;
    // What breaks naive exports is really there.
    const [odd] = await source.rows<Record<string, string>>(
      `SELECT count(*) FILTER (WHERE description IS NULL) AS null, count(*) FILTER (WHERE description = '') AS empty,
         count(*) FILTER (WHERE category_name || coalesce(description, '') LIKE '%"%') AS quote,
         count(*) FILTER (WHERE category_name || coalesce(description, '') LIKE E'%\\n%') AS newline,
         count(*) FILTER (WHERE category_name || coalesce(description, '') ~ '[\\U0001F300-\\U0001FAFF]') AS emoji FROM product_categories`,
    );
    for (const [what, count] of Object.entries(odd ?? {})) assert.ok(Number(count) > 0, `no row has ${what}`);
    const { pipelineRunId } = await startManualRun(client, seedPlan(), taskQueue, DAY, DAY.start);
    const { state, tasks } = await result(pipelineRunId);
    assert.equal(state, 'success');
    assert.equal((tasks.load_category_data?.output as { rows: number }).rows, ROWS);
    await pipeline.assertLoaded();
    await assertNoOrphans(seedPlan(), DAY.start, environment);
  });

  it('runs the same interval twice without doubling anything', async () => {
    const { client, taskQueue, environment, warehouse } = pipeline;
    const before = await assertNoOrphans(seedPlan(), DAY.start, environment);
    await assert.rejects(startManualRun(client, seedPlan(), taskQueue, DAY, DAY.start), RunExists);
    const { pipelineRunId } = await startManualRun(client, seedPlan(), taskQueue, DAY, 'again');
    assert.equal((await result(pipelineRunId)).state, 'success');
    await pipeline.assertLoaded();
    // Each run has a folder of its own; the manifest for readers outside is the one thing that they share.
    const twice = Object.entries(before).map(([task, count]) => [task, 2 * count - 1]);
    assert.deepEqual(await assertNoOrphans(seedPlan(), DAY.start, environment), Object.fromEntries(twice));
    const [loads] = await warehouse.rows<{ count: string }>('SELECT count(*) FROM sluice_loads');
    assert.equal(loads?.count, '2', 'one ledger row a run');
  });

  it('is scheduled daily, and its Schedule starts runs of the last complete day', async () => {
    const { client, environment, taskQueue } = pipeline;
    const folder = await temporaryFolder();
    await copyFile(join(ROOT, 'pipelines', 'product_category_etl.yaml'), join(folder.path, 'product_category_etl.yaml'));
    const scheduler = startProcess('scheduler.ts', ['--pipelines', folder.path, '--task-queue', taskQueue], environment);
    assert.equal(await scheduler.exited, 0, scheduler.stderr());
    try {
      const handle = client.schedule.getHandle('product_category_etl');
      const { info } = await handle.describe();
      const gaps = info.nextActionTimes.slice(1).map((time, index) => time.getTime() - (info.nextActionTimes[index]?.getTime() ?? 0));
      assert.ok(
        info.nextActionTimes[0]?.toISOString().endsWith('T00:00:00.000Z') && gaps.length > 0 && gaps.every((gap) => gap === 86_400_000),
      );
      const expected = dataIntervalAt(seedPlan().schedule, Date.now());
      await handle.trigger();
      const run = await eventually(async () => {
        const [started] = (await handle.describe()).info.recentActions;
        assert.ok(started);
        return started.action.workflow;
      });
      assert.match(run.workflowId, /^product_category_etl\/scheduled-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const { state, interval } = await result(run.workflowId);
      assert.deepEqual([state, interval], ['success', expected]);
      await eventually(async () => {
        const found = (await listRuns(client, 50, 'product_category_etl')).find(({ pipelineRunId }) => pipelineRunId === run.workflowId);
        assert.deepEqual([found?.state, found?.cause, found?.interval], ['success', 'scheduled', expected.start]);
      });
    } finally {
      await client.schedule.getHandle('product_category_etl').delete();
      await folder.remove();
    }
  });

  const random = randomCases(categoryForests, { few: 1, many: 20, seed: 20_240_229 });
  it(`places the categories of random forests: ${random.title}`, async () => {
    const { client, taskQueue, source, warehouse } = pipeline;
    for (const [index, categories] of random.cases.entries()) {
      await source.rows('DELETE FROM product_categories');
      const rows = categories.map(({ id, parent, name, description, commission, isActive }) => [
        ...[String(id), parent === null ? null : String(parent), name, description, commission, isActive],
      ]);
      await source.rows(
        `INSERT INTO product_categories SELECT (r->>0)::bigint, (r->>1)::bigint, r->>2, r->>3, (r->>4)::numeric, (r->>5)::boolean, '2024-02-29'
         FROM json_array_elements($1::json) r`,
        [JSON.stringify(rows)],
      );
      const { pipelineRunId } = await startManualRun(client, seedPlan(), taskQueue, DAY, `random-${index}`);
      assert.equal((await result(pipelineRunId)).state, 'success');
      const loaded = await warehouse.rows<Record<string, string>>(
        `SELECT category_id, parent_category_id, category_name, description, commission_rate::text, is_active, root_category_id, category_level, category_path
         FROM dim_product_categories ORDER BY category_id`,
      );
      const places = placesOf(categories);
      const expected = rows
        .map((row, at) => {
          const { root, level, path } = places.get(categories[at]?.id ?? 0n) ?? assert.fail('It has a place.');
          return [...row, String(root), level, path];
        })
        .sort((one, other) => Number(one[0]) - Number(other[0]));
      assert.deepEqual(
        loaded.map((row) => Object.values(row)),
        expected,
      );
    }
  });

  it('continues with its own plan when the file is edited and deleted in the middle', async () => {
    const { client, environment, taskQueue } = pipeline;
    const folder = await temporaryFolder();
    const file = join(folder.path, 'frozen.yaml');
    const task = (name: string): string =>
      `  - {name: ${name}, type: postgres_to_s3, source_table: product_categories, s3_bucket: raw-data}\n`;
    await writeFile(file, `dag_id: frozen\nschedule_interval: "@daily"\ntasks:\n${task('first')}${task('second')}`);
    await writeFile(join(folder.path, 'beside.yaml'), 'dag_id: beside_frozen\nschedule_interval: null\ntasks: [{name: a, type: empty}]\n');
    const args = ['--watch', '--pipelines', folder.path, '--task-queue', taskQueue, '--prune', '--allow-delete', '1'];
    const scheduler = startProcess('scheduler.ts', args, environment);
    try {
      await scheduler.says('create frozen');
      const handle = client.schedule.getHandle('frozen');
      await handle.trigger();
      const run = await eventually(async () => {
        const [started] = (await handle.describe()).info.recentActions;
        assert.ok(started);
        return started.action.workflow;
      });
      await writeFile(file, `dag_id: frozen\nschedule_interval: "@daily"\ntasks:\n${task('other')}`);
      await scheduler.says('update frozen');
      await rm(file);
      await scheduler.says('delete frozen');
      const { state, tasks } = await result(run.workflowId);
      assert.deepEqual([state, Object.keys(tasks)], ['success', ['first', 'second']]);
    } finally {
      await scheduler.stop();
      await client.schedule.getHandle('beside_frozen').delete();
      await folder.remove();
    }
  });
});
