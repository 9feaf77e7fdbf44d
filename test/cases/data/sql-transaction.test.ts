import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { sql } from '../../../activities/sql.ts';
import { compiler } from '../../support/compiler.ts';
import { failedTask } from '../../support/failed-run.ts';
import { failureOf } from '../../support/failure-of.ts';
import { startRedshiftStandIn } from '../../support/redshift-stand-in.ts';
import { runTask } from '../../support/run-task.ts';
import { createYamlRuns, type YamlRuns } from '../../support/yaml-runs.ts';

describe('sql: one transaction, or none', function () {
  this.timeout('1m');
  let runs: YamlRuns;

  before(async function () {
    this.timeout('20m');
    runs = await createYamlRuns({ parts: ['temporal', 'postgres', 's3'] });
    await runs.source.rows('CREATE TABLE hr_s (n int)');
    await runs.source.rows('CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO hr_s VALUES (1); COMMIT; END $$');
  });
  after(() => runs.close());

  const yaml = (statement: string, more = ''): string => `
dag_id: sql_case
schedule_interval: null
tasks:
  - {name: q, type: sql, retries: 2, retry_delay: 1s, sql: ${JSON.stringify(statement)}${more}}
`;
  const failed = (statement: string, more = ''): Promise<{ message: string; attempts: number }> =>
    failedTask(runs, yaml(statement, more), 'q');
  const rows = (): Promise<unknown[]> => runs.source.rows('SELECT n FROM hr_s ORDER BY n');

  for (const [what, statement] of [
    ['COMMIT', 'BEGIN;\nINSERT INTO hr_s VALUES (100);\nCOMMIT;\nINSERT INTO hr_s SELECT 1/0;'],
    ['ROLLBACK', 'INSERT INTO hr_s VALUES (100); rollback; INSERT INTO hr_s VALUES (101)'],
    ['END behind a comment', 'INSERT INTO hr_s VALUES (100); /* ; */ end /* of it */; SELECT 1'],
    ['COMMIT AND CHAIN', 'INSERT INTO hr_s VALUES (100); COMMIT AND CHAIN; SELECT 1/0'],
  ] as const) {
    it(`refuses ${what} in the file, with its place`, () => {
      const { plan, diagnostics } = compiler.compile({ file: 'case.yaml', text: yaml(statement) });
      assert.equal(plan, undefined);
      const [only, ...more] = diagnostics;
      assert.deepEqual([more.length, only?.code], [0, 'SL208']);
      assert.match(`${only?.message} ${only?.hint}`, /runs its statements in one transaction itself.* 'transaction: false'/);
    });

    it(`refuses ${what} in a worker too, and nothing is run`, async () => {
      const environment = { SLUICE_CONN_POSTGRES_DEFAULT: runs.source.url };
      const error = await failureOf(runTask(sql, { params: { sql: statement }, environment }));
      assert.deepEqual([error.type, error.nonRetryable], ['InvalidParameters', true]);
      assert.match(error.message, /one transaction itself/);
      assert.deepEqual(await rows(), []);
    });
  }

  it('is not confused by expressions, texts and bodies of functions', async () => {
    const statement = `INSERT INTO hr_s SELECT length({{ "it's; COMMIT; --" }}) WHERE 'a; COMMIT; b' <> $$; ROLLBACK; $$;
      CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 1; END; SAVEPOINT a; DELETE FROM hr_s; ROLLBACK TO a`;
    assert.equal((await runs.run(yaml(statement))).state, 'success');
    assert.deepEqual(await rows(), [{ n: 16 }]);
    await runs.source.rows('DELETE FROM hr_s');
  });

  for (const [what, statement] of [
    ['a procedure', 'CALL commits()'],
    ['DO', 'DO $$ BEGIN INSERT INTO hr_s VALUES (1); COMMIT; END $$'],
    ['EXECUTE', "DO $$ BEGIN INSERT INTO hr_s VALUES (1); EXECUTE 'COMMIT'; END $$"],
  ] as const) {
    it(`a COMMIT inside of ${what} fails at once, and nothing is kept`, async () => {
      const { attempts, message } = await failed(`INSERT INTO hr_s VALUES (2); ${statement}`);
      assert.equal(attempts, 1);
      if (what !== 'EXECUTE') assert.match(message, /'transaction: false'/);
      assert.deepEqual(await rows(), []);
    });
  }

  it('the error of what cannot run in a transaction suggests `transaction: false`', async () => {
    const { attempts, message } = await failed('VACUUM ANALYZE hr_s');
    assert.equal(attempts, 1);
    assert.match(message, /VACUUM cannot run inside a transaction block.*'transaction: false'/s);
  });

  it('`transaction: false` runs VACUUM, CREATE INDEX CONCURRENTLY and procedures that commit', async () => {
    const statement = `-- each by itself; really
      VACUUM ANALYZE hr_s; CREATE INDEX CONCURRENTLY hr_s_n ON hr_s (n); CALL commits(); SELECT n FROM hr_s`;
    const { state, tasks } = await runs.run(yaml(statement, ', transaction: false'));
    assert.equal(state, 'success');
    assert.deepEqual(tasks.q?.output, { rows: 1, first: { n: 1 } });
    assert.deepEqual(await runs.source.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 'hr_s_n'::regclass"), [
      { indisvalid: true },
    ]);
    await runs.source.rows('DELETE FROM hr_s');
  });

  it('`transaction: false`: what ran before a failure stays, and the message mentions it', async () => {
    const { message } = await failed('INSERT INTO hr_s VALUES (7);\nINSERT INTO hr_s SELECT 1/0', ', transaction: false');
    assert.match(message, /statement 2 of 2 \(line 2; what ran before it is kept\): division by zero/);
    assert.deepEqual(await rows(), [{ n: 7 }]);
    await runs.source.rows('DELETE FROM hr_s');
  });

  it('`transaction: false`: a transaction that is left open is a failure', async () => {
    const { message } = await failed('BEGIN; INSERT INTO hr_s VALUES (8)', ', transaction: false');
    assert.match(message, /add the COMMIT that is missing/);
    assert.deepEqual(await rows(), []);
    const kept = await runs.run(yaml('BEGIN; INSERT INTO hr_s VALUES (8); INSERT INTO hr_s VALUES (9); COMMIT', ', transaction: false'));
    assert.equal(kept.state, 'success');
    assert.deepEqual(await rows(), [{ n: 8 }, { n: 9 }]);
    await runs.source.rows('DELETE FROM hr_s');
  });

  it('refuses TRUNCATE on Redshift, where it commits', async () => {
    const redshift = await startRedshiftStandIn(runs.source, { type: 'aws', region_name: 'us-east-1' });
    try {
      const run = (params: Record<string, string | boolean>): Promise<unknown> =>
        runTask(sql, { params: { conn_id: 'redshift_default', ...params }, environment: { SLUICE_CONN_REDSHIFT_DEFAULT: redshift.url } });
      const error = await failureOf(run({ sql: 'INSERT INTO hr_s VALUES (5); TRUNCATE hr_s' }));
      assert.match(error.message, /'TRUNCATE' in line 1 commits on Redshift.*Nothing was run/);
      await run({ sql: 'INSERT INTO hr_s VALUES (6)' });
      await run({ sql: 'DELETE FROM hr_s; INSERT INTO hr_s VALUES (7)', transaction: false });
      assert.deepEqual(await rows(), [{ n: 7 }]);
    } finally {
      await redshift.close();
    }
  });
});
