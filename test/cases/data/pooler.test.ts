import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { sql } from '../../../activities/sql.ts';
import { STATEMENT_MODE } from '../../../dev/servers/parts/pgbouncer.ts';
import { createBucket, type TestBucket } from '../../support/buckets.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { failureOf } from '../../support/failure-of.ts';
import { eventually } from '../../support/eventually.ts';
import { startPooler } from '../../support/pooler.ts';
import { runTask } from '../../support/run-task.ts';
import { TestSensors } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';
import { createYamlRuns, type YamlRuns } from '../../support/yaml-runs.ts';

const ROUNDS = 3;

describe('behind PgBouncer in transaction mode', function () {
  this.timeout('2m');
  let source: TestDatabase;
  let warehouse: TestDatabase;
  let bucket: TestBucket;
  let runs: YamlRuns;
  let pooled: (url: string) => string;

  before(async function () {
    this.timeout('20m');
    pooled = await startPooler();
    [source, warehouse, bucket] = await Promise.all([createDatabase(), createDatabase(), createBucket()]);
    runs = await createYamlRuns({
      environment: {
        SLUICE_CONN_AWS_DEFAULT: bucket.url,
        SLUICE_CONN_POSTGRES_DEFAULT: pooled(source.url),
        SLUICE_CONN_REDSHIFT_DEFAULT: pooled(warehouse.url),
      },
    });
    // Settings of the role or database that a session would have to change.
    for (const { name, rows } of [source, warehouse]) {
      await rows(`ALTER DATABASE ${name} SET datestyle = 'German'; ALTER DATABASE ${name} SET intervalstyle = 'iso_8601';
        ALTER DATABASE ${name} SET bytea_output = 'escape'; ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`);
    }
  });
  after(async () => {
    await runs.close();
    await Promise.all([source.drop(), warehouse.drop(), bucket.drop()]);
  });

  const succeed = async (yaml: string): Promise<void> => {
    const { state, tasks } = await runs.run(yaml);
    assert.equal(state, 'success', JSON.stringify(tasks));
  };
  const task = (statement: string, more: Partial<Parameters<typeof runTask>[1]> = {}): Promise<unknown> =>
    runTask(sql, { params: { sql: statement }, environment: { SLUICE_CONN_POSTGRES_DEFAULT: pooled(source.url) }, ...more });

  it('loads of all methods at once fill each its own table, round after round', async () => {
    const METHODS = ['upsert', 'merge', 'replace', 'append'];
    const tables = METHODS.flatMap((method) => ['csv', 'jsonl'].map((format) => ({ method, format, name: `${method}_${format}` })));
    const columns = '(id int, v text, day date, took interval, bytes bytea, twice int GENERATED ALWAYS AS (id * 2) STORED)';
    for (const { name } of tables) {
      for (const database of [source, warehouse]) await database.rows(`CREATE TABLE ${name} ${columns}`);
      await source.rows(
        `INSERT INTO ${name} SELECT i, '${name}' || i, date '2026-01-31' + i, i * interval '90 minutes', '\\x00ff5c' FROM generate_series(1, 500) i`,
      );
    }
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all(
        tables.map(async ({ name, method, format }) => {
          if (round > 0 && method === 'append') return;
          const keys = method === 'upsert' || method === 'merge' ? ', upsert_keys: [id]' : '';
          await succeed(`
dag_id: pooled_${name}
schedule_interval: null
default_args: {retries: 0}
tasks:
  - {name: extract, type: postgres_to_s3, source_table: ${name}, s3_bucket: ${bucket.name}, file_format: ${format}, max_rows_per_file: 200}
  - {name: load, type: s3_to_redshift, s3_bucket: ${bucket.name}, redshift_table: ${name}, method: ${method}${keys}}
`);
        }),
      );
      for (const { name } of tables) {
        const all = `SELECT * FROM ${name} ORDER BY id`;
        assert.deepEqual(await warehouse.rows(all), await source.rows(all), name);
      }
    }
    const left = "SELECT relname FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'";
    assert.deepEqual(await warehouse.rows(left), []);
  });

  it('loads of one table at once go one after the other', async () => {
    const load = (method: string, index: number): string => `
dag_id: pooled_one_${index}
schedule_interval: null
default_args: {retries: 0}
tasks:
  - {name: extract, type: postgres_to_s3, source_table: replace_csv, s3_bucket: ${bucket.name}}
  - {name: load, type: s3_to_redshift, s3_bucket: ${bucket.name}, redshift_table: replace_csv, method: ${method}, ${method === 'replace' ? '' : 'upsert_keys: [id]'}}
`;
    await Promise.all(['replace', 'upsert', 'merge', 'replace', 'upsert', 'merge'].map((method, index) => succeed(load(method, index))));
    const all = 'SELECT * FROM replace_csv ORDER BY id';
    assert.deepEqual(await warehouse.rows(all), await source.rows(all));
  });

  it('reconcile, its repair, sql, sql_check and wait_for_sql work, many at once', async () => {
    for (const database of [source, warehouse])
      await database.rows(
        'CREATE TABLE compared (id int PRIMARY KEY, at timestamptz, took interval, twice int GENERATED ALWAYS AS (id * 2) STORED)',
      );
    await source.rows(
      "INSERT INTO compared SELECT i, timestamptz '2026-11-26 00:00+00' + i * interval '1 minute', i * interval '1 hour' FROM generate_series(1, 200) i",
    );
    await source.rows('CREATE TABLE done (n int)');
    await warehouse.rows(
      "INSERT INTO compared SELECT i, timestamptz '2026-11-26 00:00+00' + i * interval '1 minute', i * interval '1 hour' FROM generate_series(11, 200) i",
    );
    const both = 'source: {conn_id: postgres_default, table: compared}, target: {conn_id: redshift_default, table: compared}, key: [id]';
    const yaml = (name: string, more = ''): string => `
dag_id: ${name}
schedule_interval: null
default_args: {retries: 0}
tasks:
  - {name: wait, type: wait_for_sql, sql: "SELECT count(*) FROM compared WHERE at >= {{ data_interval_start }}", poke_interval: 1s, timeout: 30s}
  - {name: compare, type: reconcile, ${both}, report_to: "s3://${bucket.name}/reports"${more}}
  - {name: check, type: sql_check, table: compared, checks: [{name: fresh, check: freshness, column: at, within: 1d}, {name: rows, check: row_count, equals: 200}]}
  - {name: write, type: sql, sql: "INSERT INTO done SELECT count(*) FROM compared WHERE took > interval '1 hour'"}
`;
    await succeed(yaml('pooled_repair', ', on_mismatch: repair'));
    await Promise.all(Array.from({ length: 6 }, (_, index) => succeed(yaml(`pooled_all_${index}`))));
    assert.deepEqual(await source.rows('SELECT n, count(*)::int AS times FROM done GROUP BY n'), [{ n: 199, times: 7 }]);
  });

  it('in statement mode, where there are no transactions, tasks report it', async () => {
    const url = new URL(pooled(source.url).replace(/^postgresql:/, 'http:'));
    url.pathname = STATEMENT_MODE;
    const error = await failureOf(
      runTask(sql, {
        params: { sql: 'SELECT 1' },
        environment: { SLUICE_CONN_POSTGRES_DEFAULT: url.href.replace(/^http:/, 'postgresql:') },
      }),
    );
    assert.deepEqual([error.type, error.nonRetryable], ['ConnectionNotDefined', true]);
    assert.match(error.message, /is in statement mode, which has no transactions\. Set its pool_mode to transaction or session/);
  });

  it('sql ends on the server when it is cancelled', async () => {
    const cancelled = task('SELECT pg_sleep(60)', { onProgress: (_, cancel) => setTimeout(cancel, 300) });
    await assert.rejects(cancelled, { name: 'CancelledFailure' });
    const left = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND datname = current_database() AND state = 'active'";
    await eventually(async () => assert.deepEqual(await source.rows(left), []), 2_000);
  });

  it('sql leaves no temporary table, setting or role to the next client', async () => {
    const statement = `CREATE TEMPORARY TABLE staged (n int); INSERT INTO staged VALUES (1); SET search_path = pg_catalog;
      SET statement_timeout = '59s'; SET ROLE pg_read_all_data`;
    for (let round = 0; round < 12; round++) await task(statement);
    for (let round = 0; round < 12; round++) {
      const asked = `SELECT current_setting('search_path') AS path, current_setting('statement_timeout') AS most, current_user = session_user AS same`;
      assert.deepEqual(await task(asked), { rows: 1, first: { path: '"$user", public', most: '0', same: true } });
    }
  });

  it('an sql trigger starts a run for each row', async () => {
    const { environment } = await testStack(['temporal']);
    const sensors = await TestSensors.start({ ...environment, SLUICE_CONN_OWN_DATABASE: pooled(source.url) });
    try {
      await source.rows('CREATE TABLE orders (id bigserial PRIMARY KEY, at timestamptz DEFAULT now())');
      const watched = { conn_id: 'own_database', query: 'SELECT * FROM orders', cursor: 'id', poke_interval: '100ms' };
      const plan = sensors.plan({ type: 'sql', source: watched });
      await sensors.apply(plan);
      await eventually(async () => assert.equal((await sensors.stateOf(plan)).reports.length, 1), 30_000);
      for (let round = 0; round < 3; round++) await source.rows('INSERT INTO orders DEFAULT VALUES');
      assert.equal((await sensors.runsOf(plan, 3)).length, 3);
      await sensors.stop(plan);
    } finally {
      await sensors.close();
    }
  });

  it('sql with `transaction: false` runs VACUUM', async () => {
    await succeed(`
dag_id: pooled_vacuum
schedule_interval: null
tasks: [{name: q, type: sql, sql: "VACUUM compared; VACUUM ANALYZE compared", transaction: false}]
`);
  });
});
