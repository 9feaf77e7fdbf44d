import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { failedTask } from '../../support/failed-run.ts';
import { type BucketRuns, createBucketRuns } from '../../support/yaml-runs.ts';

describe('reconcile repairs what a table lets it', function () {
  this.timeout('1m');
  let runs: BucketRuns['runs'];
  let bucket: BucketRuns['bucket'];
  let close: BucketRuns['close'];

  before(async function () {
    this.timeout('20m');
    ({ runs, bucket, close } = await createBucketRuns());
  });
  after(() => close());

  const yaml = (table: string): string => `
dag_id: repair_${table}
schedule_interval: null
tasks:
  - name: c
    type: reconcile
    retries: 0
    source: {conn_id: postgres_default, table: ${table}}
    target: {conn_id: redshift_default, table: ${table}}
    key: [id]
    report_to: s3://${bucket.name}/reports
    on_mismatch: repair
`;

  it('tables with generated and identity columns, there and back, and the sequence follows', async () => {
    const columns = `(id int GENERATED ALWAYS AS IDENTITY, n int GENERATED ALWAYS AS IDENTITY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED)`;
    for (const database of [runs.source, runs.warehouse]) await database.rows(`CREATE TABLE filled ${columns}`);
    const insert = 'INSERT INTO filled (id, n, a) OVERRIDING SYSTEM VALUE VALUES';
    await runs.source.rows(`${insert} (1, 1, 10), (2, 2, 20), (9, 9, 90)`);
    await runs.warehouse.rows(`${insert} (1, 1, 10), (2, 2, 99), (5, 5, 50)`);
    const all = 'SELECT * FROM filled ORDER BY id';
    const before = await runs.warehouse.rows(all);
    const { state, tasks } = await runs.run(yaml('filled'));
    assert.equal(state, 'success', JSON.stringify(tasks));
    assert.deepEqual(await runs.warehouse.rows(all), await runs.source.rows(all));
    const undo = (tasks.c?.output as { undo: string }).undo;
    await runs.warehouse.rows(await bucket.text(undo.replace(`s3://${bucket.name}/`, '')));
    assert.deepEqual(await runs.warehouse.rows(all), before);
    assert.deepEqual(await runs.warehouse.rows('INSERT INTO filled (a) VALUES (1) RETURNING id, n'), [{ id: 10, n: 10 }]);
  });

  it('deletes no row whose end would reach other tables', async () => {
    for (const database of [runs.source, runs.warehouse]) await database.rows('CREATE TABLE referred (id int PRIMARY KEY, a int)');
    await runs.warehouse.rows(`CREATE TABLE fact (id int, referred int REFERENCES referred ON DELETE CASCADE);
      INSERT INTO referred VALUES (1, 1), (2, 2); INSERT INTO fact VALUES (1, 2)`);
    await runs.source.rows('INSERT INTO referred VALUES (1, 1)');
    const { message } = await failedTask(runs, yaml('referred'), 'c');
    assert.match(message, /Nothing is repaired.*rows of fact would be deleted \(foreign key 'fact_referred_fkey', ON DELETE CASCADE\)/);
    assert.equal((await runs.warehouse.rows('SELECT * FROM fact')).length, 1);
    // What is missing or changed is repaired all the same.
    await runs.source.rows('INSERT INTO referred VALUES (2, 7), (3, 3)');
    assert.equal((await runs.run(yaml('referred'))).state, 'success');
    assert.deepEqual(
      await runs.warehouse.rows('SELECT * FROM referred ORDER BY id'),
      await runs.source.rows('SELECT * FROM referred ORDER BY id'),
    );
  });
});
