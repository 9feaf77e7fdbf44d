import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'mocha';
import { postgresToS3 } from '../../../activities/postgres-to-s3.ts';
import { reconcile } from '../../../activities/reconcile.ts';
import { sqlCheck } from '../../../activities/sql-check.ts';
import { waitForSql } from '../../../activities/wait-for-sql.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { TaskType } from '../../../activities/define-task.ts';
import { createBucket, type TestBucket } from '../../support/buckets.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { eventually } from '../../support/eventually.ts';
import { failureOf } from '../../support/failure-of.ts';
import { createMySQLDatabase, type TestMySQLDatabase } from '../../support/mysql-databases.ts';
import { type RedshiftStandIn, startRedshiftStandIn } from '../../support/redshift-stand-in.ts';
import { runTask } from '../../support/run-task.ts';
import { type TestSensors, unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';
import { compileYaml } from '../../support/compile-yaml.ts';
import { startYamlSensors } from '../../support/yaml-sensors.ts';

/** Where a server's programs would leave a mark. */
const MARK = join(tmpdir(), `sluice-attack-${unique()}`);

/** What is no single SELECT, or changes something. */
const QUERIES: readonly string[] = [
  'SELECT 1; DROP TABLE victims',
  'SELECT 1; COMMIT; DROP TABLE victims; SELECT 1',
  'COMMIT; DROP TABLE victims',
  'ROLLBACK; BEGIN; DROP TABLE victims; COMMIT',
  'DROP TABLE victims',
  'DELETE FROM victims RETURNING 1',
  'SET TRANSACTION READ WRITE',
  'COMMIT',
  `COPY (SELECT 1) TO PROGRAM 'touch ${MARK}'`,
  `COPY (SELECT 1) TO '${MARK}'`,
  'DO $$ BEGIN DELETE FROM victims; END $$',
  'CALL empty_victims()',
  "PREPARE TRANSACTION 'a'",
  'WITH gone AS (DELETE FROM victims RETURNING 1) SELECT count(*) FROM gone',
  'SELECT * INTO copied FROM victims',
  'SELECT empty_victims_too() AS id',
  "SELECT set_config('transaction_read_only', 'off', true), empty_victims_too() AS id",
  "SELECT nextval('numbers') AS id",
  'SELECT 1) AS a; COMMIT; DROP TABLE victims; SELECT * FROM (SELECT 1',
  'SELECT 1) AS a, (SELECT 2',
];
/** The same, for conditions. */
const CONDITIONS: readonly string[] = [
  'true; DROP TABLE victims',
  'true); COMMIT; DROP TABLE victims; --',
  'true) AS a; COMMIT; DROP TABLE victims; SELECT * FROM (SELECT 1',
  'empty_victims_too() = 1',
  'true) OR (true',
  'true UNION SELECT 2',
  'id IN (WITH gone AS (DELETE FROM victims RETURNING id) SELECT id FROM gone)',
];

describe('SQL that reads', function () {
  this.timeout('2m');
  let database: TestDatabase;
  let mysql: TestMySQLDatabase;
  let bucket: TestBucket;
  let redshift: RedshiftStandIn;
  let sensors: TestSensors;
  let environment: Record<string, string>;

  before(async function () {
    this.timeout('20m');
    const stack = await testStack(['temporal', 'postgres']);
    [database, mysql, bucket] = await Promise.all([createDatabase(), createMySQLDatabase(), createBucket()]);
    redshift = await startRedshiftStandIn(database, bucket.connection);
    environment = {
      SLUICE_CONN_POSTGRES_DEFAULT: database.url,
      SLUICE_CONN_WAREHOUSE: redshift.url,
      SLUICE_CONN_SHOP: mysql.url,
      SLUICE_CONN_AWS_DEFAULT: bucket.url,
    };
    sensors = await startYamlSensors({ ...stack.environment, ...environment });
    await database.rows(`CREATE TABLE victims (id int); INSERT INTO victims VALUES (1); CREATE SEQUENCE numbers;
      CREATE PROCEDURE empty_victims() LANGUAGE sql AS $$ DELETE FROM victims $$;
      CREATE FUNCTION empty_victims_too() RETURNS int LANGUAGE sql AS $$ DELETE FROM victims RETURNING 1 $$`);
    await mysql.rows('CREATE TABLE victims (id int)', 'INSERT INTO victims VALUES (1)');
  });
  after(async () => {
    await sensors.close();
    await redshift.close();
    await Promise.all([database.drop(), mysql.drop(), bucket.drop()]);
  });
  afterEach(async () => {
    assert.deepEqual(await database.rows('SELECT id, (SELECT is_called FROM numbers) AS called FROM victims'), [{ id: 1, called: false }]);
    assert.deepEqual(await mysql.rows('SELECT id FROM victims'), [{ id: 1 }]);
    assert.equal(existsSync(MARK), false);
    assert.deepEqual(await database.rows("SELECT relname FROM pg_class WHERE relname = 'copied'"), []);
  });

  const refused = async (taskType: TaskType, params: JsonObject): Promise<void> => {
    const error = await failureOf(runTask(taskType, { params, environment, output: `s3://${bucket.name}/attack/` }));
    assert.deepEqual([error.type, error.nonRetryable], ['QueryFailed', true], `${JSON.stringify(params)}: ${error.message}`);
  };

  for (const connection of ['postgres_default', 'warehouse']) {
    it(`is one SELECT that changes nothing: wait_for_sql, sql_check and reconcile at ${connection}`, async () => {
      for (const query of QUERIES) {
        await refused(waitForSql, { conn_id: connection, query });
        await refused(sqlCheck, { conn_id: connection, checks: [{ name: 'a', sql: query, min: 0 }] });
        const side = { conn_id: connection, query };
        await refused(reconcile, { source: side, target: { conn_id: 'postgres_default', table: 'victims' }, key: ['id'] });
      }
      for (const where of CONDITIONS) {
        await refused(sqlCheck, { conn_id: connection, table: 'victims', where, checks: [{ name: 'a', check: 'row_count', min: 0 }] });
        const target = { conn_id: connection, table: 'victims', where };
        await refused(reconcile, { source: { conn_id: 'postgres_default', table: 'victims' }, target, key: ['id'] });
      }
    });
  }

  it('is one SELECT that changes nothing: postgres_to_s3', async () => {
    for (const query of QUERIES) await refused(postgresToS3, { query, s3_bucket: bucket.name });
    for (const where of CONDITIONS) await refused(postgresToS3, { source_table: 'victims', where, s3_bucket: bucket.name });
  });

  it('is one SELECT that changes nothing: reconcile with MySQL', async () => {
    for (const query of [
      'SELECT 1; DROP TABLE victims',
      'SELECT 1) AS a; COMMIT; DROP TABLE victims; SELECT * FROM (SELECT 1',
      'DELETE FROM victims',
      `SELECT 1 INTO OUTFILE '${MARK}'`,
      'SELECT 1 INTO @a',
      'COMMIT',
      'SELECT 1) AS a, (SELECT 2',
    ]) {
      await refused(reconcile, {
        source: { conn_id: 'shop', query },
        target: { conn_id: 'postgres_default', table: 'victims' },
        key: ['id'],
      });
    }
    for (const where of ['true; DROP TABLE victims', 'true) OR (true', `true INTO OUTFILE '${MARK}'`]) {
      const source = { conn_id: 'shop', table: 'victims', where };
      await refused(reconcile, { source, target: { conn_id: 'postgres_default', table: 'victims' }, key: ['id'] });
    }
  });

  it('is one SELECT that changes nothing: sql triggers', async () => {
    const plans = QUERIES.map((query) =>
      compileYaml(`
dag_id: attack_${unique()}
triggers: [{name: rows, type: sql, query: ${JSON.stringify(query)}, cursor: id, poke_interval: 100ms}]
tasks: [{name: a, type: empty}]
`),
    );
    for (const plan of plans) await sensors.apply(plan);
    for (const [index, plan] of plans.entries()) {
      await eventually(async () => assert.match(JSON.stringify(await sensors.stateOf(plan)), /The query fails/, QUERIES[index]), 60_000);
      await sensors.stop(plan);
    }
  });
});
