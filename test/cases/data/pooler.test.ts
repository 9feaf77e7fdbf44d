import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { sql } from '../../../activities/sql.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { startPooler } from '../../support/pooler.ts';
import { eventually } from '../../support/eventually.ts';
import { runTask } from '../../support/run-task.ts';

describe('behind PgBouncer in transaction mode', function () {
  this.timeout('2m');
  let source: TestDatabase;
  let pooled: (url: string) => string;

  before(async function () {
    this.timeout('20m');
    pooled = await startPooler();
    source = await createDatabase();
  });
  after(() => source.drop());

  const run = (statement: string, more: Partial<Parameters<typeof runTask>[1]> = {}): Promise<unknown> =>
    runTask(sql, { params: { statement }, environment: { SLUICE_CONN_POSTGRES_DEFAULT: pooled(source.url) }, ...more });

  it('sql ends on the server when it is cancelled', async () => {
    const cancelled = run('SELECT pg_sleep(60)', { onProgress: (_, cancel) => setTimeout(cancel, 300) });
    await assert.rejects(cancelled, { name: 'CancelledFailure' });
    const left = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND datname = current_database() AND state = 'active'";
    await eventually(async () => assert.deepEqual(await source.rows(left), []), 2_000);
  });

  it('sql leaves no temporary table, setting or role to the next client', async () => {
    const statement = `CREATE TEMPORARY TABLE staged (n int); INSERT INTO staged VALUES (1); SET search_path = pg_catalog; SET statement_timeout = '59s'; SET ROLE pg_read_all_data`;
    for (let round = 0; round < 12; round++) await run(statement);
    for (let round = 0; round < 12; round++) {
      assert.deepEqual(
        await run(
          "SELECT current_setting('search_path') AS path, current_setting('statement_timeout') AS most, current_user = session_user AS same",
        ),
        {
          rows: 1,
          first: { path: '"$user", public', most: '0', same: true },
        },
      );
    }
  });
});
