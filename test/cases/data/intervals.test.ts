import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { previewBackfill, startBackfill } from '../../../temporal/schedules/backfills.ts';
import type { Reprocess } from '../../../workflows/plan/timetable/interval-coverage.ts';
import type { BackfillReport } from '../../../workflows/plan/runs/backfill.ts';
import { createBucket, type TestBucket } from '../../support/buckets.ts';
import { eventually } from '../../support/eventually.ts';
import { createYamlRuns, planOf, type YamlRuns } from '../../support/yaml-runs.ts';

/** The names of pipelines and tables: Temporal remembers those of earlier test runs. */
const named = (name: string): string => `${name}_${TAG}`;
const TAG = randomBytes(4).toString('hex');

describe('intervals are compared whole, and reprocessed ones load again', function () {
  this.timeout('3m');
  let runs: YamlRuns;
  let bucket: TestBucket;

  before(async function () {
    this.timeout('20m');
    [runs, bucket] = await Promise.all([createYamlRuns(), createBucket()]);
  });
  after(async () => {
    await runs.close();
    await bucket.drop();
  });

  const copy = (name: string, schedule: string, load: string): string => `
dag_id: ${name}
schedule_interval: "${schedule}"
default_args: {retries: 0}
tasks:
  - {name: extract, type: postgres_to_s3, source_table: ${name}, incremental: {column: at}, s3_bucket: ${bucket.name}}
  - {name: load, type: s3_to_redshift, s3_bucket: ${bucket.name}, redshift_table: ${name}, ${load}}
`;

  /** A row for each hour of 2026-11-26. */
  async function createHours(name: string): Promise<void> {
    await runs.source.rows(`CREATE TABLE ${name} (id int, at timestamptz)`);
    await runs.source.rows(
      `INSERT INTO ${name} SELECT h, timestamptz '2026-11-26 00:30+00' + h * interval '1 hour' FROM generate_series(0, 23) AS h`,
    );
    await runs.warehouse.rows(`CREATE TABLE ${name} (id int, at timestamptz)`);
  }

  const orderOf = (yaml: string, to: string, reprocess: Reprocess = 'none') => ({
    plan: planOf(yaml),
    from: Date.parse('2026-11-26T00:00:00Z'),
    to: Date.parse(to),
    reprocess,
    maxActive: 2,
    reverse: false,
  });

  async function backfill(yaml: string, to: string, reprocess?: Reprocess): Promise<BackfillReport> {
    const { pipelineRunId } = await startBackfill(runs.client, runs.taskQueue, orderOf(yaml, to, reprocess));
    return (await runs.client.workflow.getHandle(pipelineRunId).result()) as BackfillReport;
  }

  const idsOf = async (name: string): Promise<number[]> =>
    (await runs.warehouse.rows<{ id: number }>(`SELECT id FROM ${name} ORDER BY id`)).map(({ id }) => id);
  const hours = (count: number): number[] => Array.from({ length: count }, (_, hour) => hour);

  async function hourlyFirst(name: string): Promise<void> {
    await createHours(name);
    const report = await backfill(copy(name, '@hourly', 'method: append'), '2026-11-26T05:00:00Z');
    assert.deepEqual([report.succeeded, await idsOf(name)], [6, hours(6)]);
  }

  const dayOf = (name: string, load: string) => orderOf(copy(name, '@daily', load), '2026-11-26T00:00:00Z');
  const previewed = (name: string, load: string) =>
    eventually(async () => {
      const [choice] = await previewBackfill(runs.client, dayOf(name, load));
      assert.match(choice?.why ?? '', /6 runs/);
      return choice;
    });

  it('hours are not the day: the parts that are missing are named, and an append over them is refused', async () => {
    await hourlyFirst(named('refused'));
    const choice = await previewed(named('refused'), 'method: append');
    assert.equal(choice?.runs, true);
    assert.match(choice?.why ?? '', /never ran as a whole: 2026-11-26T06:00:00Z – 2026-11-27T00:00:00Z is missing/);
    await assert.rejects(backfill(copy(named('refused'), '@daily', 'method: append'), '2026-11-26T00:00:00Z'));
    assert.deepEqual(await idsOf(named('refused')), hours(6));
  });

  it('on_overlap: replace deletes the rows of the day first', async () => {
    await hourlyFirst(named('replaced'));
    await runs.warehouse.rows(`INSERT INTO ${named('replaced')} VALUES (99, '2026-11-25 23:59+00'), (100, '2026-11-27 00:00+00')`);
    await backfill(copy(named('replaced'), '@daily', 'method: append, on_overlap: replace'), '2026-11-26T00:00:00Z');
    assert.deepEqual(await idsOf(named('replaced')), [...hours(24), 99, 100]);
    await backfill(copy(named('replaced'), '@hourly', 'method: append, on_overlap: replace'), '2026-11-26T05:00:00Z', 'all');
    assert.deepEqual(await idsOf(named('replaced')), [...hours(24), 99, 100]);
  });

  it('on_overlap: replace deletes no rows of other data', async () => {
    const name = named('others');
    await createHours(name);
    const yaml = `${copy(name, '@daily', 'method: append, on_overlap: replace').trim()}\nparams: {x: {type: integer, default: 0}}\n`;
    await runs.run(yaml, { params: { x: 1 } });
    await runs.run(yaml);
    assert.match((await runs.run(yaml)).tasks['load']?.error ?? '', /would delete other data of that time/);
    assert.equal((await idsOf(name)).length, 48);
  });

  it('on_overlap: append adds them anyway', async () => {
    await hourlyFirst(named('added'));
    await backfill(copy(named('added'), '@daily', 'method: append, on_overlap: append'), '2026-11-26T00:00:00Z');
    assert.equal((await idsOf(named('added'))).length, 30);
  });

  it('rows that a lag reads twice are not appended twice', async () => {
    await createHours(named('lagging'));
    const yaml = copy(named('lagging'), '@hourly', 'method: append').replace('{column: at}', '{column: at, lag: 1h}');
    await assert.rejects(backfill(yaml, '2026-11-26T01:00:00Z'));
    const once = await idsOf(named('lagging'));
    assert.deepEqual(once, [...new Set(once)]);
    const replacing = yaml.replace('method: append', 'method: append, on_overlap: replace');
    await backfill(replacing, '2026-11-26T05:00:00Z', 'failed');
    assert.deepEqual(await idsOf(named('lagging')), hours(6));
  });

  for (const [reprocess, expected] of [
    ['none', 0],
    ['failed', 0],
    ['all', 100],
  ] as const) {
    it(`--reprocess ${reprocess}, after the source was corrected`, async () => {
      const name = named(`reprocess_${reprocess}`);
      await createHours(name);
      await runs.warehouse.rows(`ALTER TABLE ${name} ADD PRIMARY KEY (at)`);
      const yaml = copy(name, '@daily', 'method: upsert, upsert_keys: [at]');
      await backfill(yaml, '2026-11-26T00:00:00Z');
      await runs.source.rows(`UPDATE ${name} SET id = id + 100`);
      await backfill(yaml, '2026-11-26T00:00:00Z', reprocess);
      assert.deepEqual(
        await idsOf(name),
        hours(24).map((hour) => hour + expected),
      );
    });
  }

  it('runs about other data do not count as runs of their interval', async () => {
    await createHours(named('variants'));
    const yaml = `${copy(named('variants'), '@daily', 'method: append').trim()}\nparams: {x: {type: integer, default: 0}}\n`;
    await runs.run(yaml, { params: { x: 1 } });
    await backfill(yaml, '2026-11-26T00:00:00Z');
    assert.equal((await idsOf(named('variants'))).length, 48);
  });
});
