import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { createBucket, type TestBucket } from '../../support/buckets.ts';
import { failedTask } from '../../support/failed-run.ts';
import { createYamlRuns, type YamlRuns } from '../../support/yaml-runs.ts';

describe('a source that has no rows', function () {
  this.timeout('1m');
  let runs: YamlRuns;
  let bucket: TestBucket;

  before(async function () {
    this.timeout('20m');
    bucket = await createBucket();
    runs = await createYamlRuns({ environment: { SLUICE_CONN_AWS_DEFAULT: bucket.url } });
    await runs.source.rows('CREATE TABLE nothing (id int, name text)');
    await runs.warehouse.rows(
      "CREATE TABLE dim (id int, name text); INSERT INTO dim VALUES (1, 'one'); CREATE TABLE fresh (id int, name text)",
    );
  });
  after(async () => {
    await runs.close();
    await bucket.drop();
  });

  const yaml = (table: string, more = ''): string => `
dag_id: empty_source
tasks:
  - {name: extract, type: postgres_to_s3, source_table: nothing, s3_bucket: ${bucket.name}}
  - {name: load, type: s3_to_redshift, s3_bucket: ${bucket.name}, redshift_table: ${table}${more}}
`;
  const rowsOf = async (table: string): Promise<number> => (await runs.warehouse.rows(`SELECT 1 FROM ${table}`)).length;

  for (const more of ['', ', method: replace', ', method: merge, upsert_keys: [id]']) {
    it(`empties no table${more}, unless the file says so`, async () => {
      const { message, attempts } = await failedTask(runs, yaml('dim', more), 'load');
      assert.match(message, /^The data has no rows, and method (replace|merge) would delete all rows of public\.dim.*`allow_empty: true`/);
      assert.equal(attempts, 1);
      assert.equal(await rowsOf('dim'), 1);
      await runs.run(yaml('fresh', more));
    });
  }

  it('empties it where the file says so', async () => {
    await runs.run(yaml('dim', ', allow_empty: true'));
    assert.equal(await rowsOf('dim'), 0);
  });
});
