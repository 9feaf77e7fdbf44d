import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { sqlCheck } from '../../../activities/sql-check.ts';
import { withinBounds } from '../../../activities/sql-check/bounds.ts';
import type { CheckOutcome } from '../../../activities/sql-check/run-checks.ts';
import type { Json, JsonObject } from '../../../workflows/plan/values/json.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { failureOf } from '../../support/failure-of.ts';
import { runTask } from '../../support/run-task.ts';
import { createYamlRuns, RUN_DAY, type YamlRuns } from '../../support/yaml-runs.ts';

const HOUR = 3_600_000;

describe('sql_check: freshness', function () {
  this.timeout('1m');
  let database: TestDatabase;

  before(async function () {
    this.timeout('20m');
    database = await createDatabase();
  });
  after(() => database.drop());

  const now = new Date();
  const interval = { start: new Date(now.getTime() - 24 * HOUR).toISOString(), end: now.toISOString() };
  const inHours = (hours: number): string => new Date(now.getTime() + hours * HOUR).toISOString();
  let tables = 0;

  async function check(type: string, rows: readonly string[], more: JsonObject = {}): Promise<CheckOutcome> {
    const table = `fresh_${(tables += 1)}`;
    await database.rows(`CREATE TABLE ${table} (at ${type})`);
    for (const row of rows) await database.rows(`INSERT INTO ${table} VALUES (${row === 'NULL' ? row : `'${row}'`})`);
    const params = { table, checks: [{ name: 'fresh', check: 'freshness', column: 'at', within: '2h' }], ...more };
    return runTask<CheckOutcome>(sqlCheck, { params, environment: { SLUICE_CONN_POSTGRES_DEFAULT: database.url }, interval });
  }

  for (const type of ['timestamptz', 'timestamp', 'date']) {
    const fresh = type === 'date' ? interval.end.slice(0, 10) : inHours(-1);
    const within = { checks: [{ name: 'fresh', check: 'freshness', column: 'at', within: '25h' }] };

    it(`${type}: passes for a row of now, even if there are rows of the future`, async () => {
      for (const rows of [[fresh], [fresh, '2999-01-01'], [fresh, 'infinity', 'NULL'], [fresh, '-infinity'], [fresh, '294000-01-01']]) {
        const { checks } = await check(type, rows, within);
        assert.equal(checks[0]?.value, new Date(fresh).toISOString(), rows.join());
      }
    });

    for (const [name, rows, message] of [
      ['no row', [], /^1 of 1 checks failed\. fresh: null, and it must be not older than 2h before \S+\.$/],
      ['only NULL', ['NULL'], /fresh: null, /],
      ['only -infinity', ['-infinity'], /fresh: null, /],
      ['only infinity', ['infinity'], /fresh: null, .*; 1 rows in the future, up to infinity, do not count\.$/],
      ['one row dated 2999', ['2999-01-01'], /fresh: null, .*; 1 rows in the future, up to 2999-01-01T00:00:00\.000Z, do not count\.$/],
      ['old rows behind one dated 2999', ['2020-01-01', '2999-01-01'], /fresh: 2020-01-01T00:00:00\.000Z, .*up to 2999/],
      ['old rows behind one that no Date of JavaScript reaches', ['2020-01-01', '294000-01-01'], /fresh: 2020-01-01.*up to 294000-01-01/],
    ] as const) {
      it(`${type}: fails for ${name}, and shows what it found`, async () => {
        const { type: failure, message: said, nonRetryable } = await failureOf(check(type, rows));
        assert.deepEqual([failure, nonRetryable], ['DataMismatch', true]);
        assert.match(said, message);
      });
    }
  }

  it('lets clocks be 5 minutes ahead, and times without a zone be those of any place', async () => {
    // From the time of this test: `now` is when this file was read.
    const ahead = (hours: number): string => new Date(Date.now() + hours * HOUR).toISOString();
    assert.equal((await check('timestamptz', [ahead(0.05)])).passed, 1);
    await failureOf(check('timestamptz', [ahead(0.2)]));
    assert.equal((await check('timestamp', [ahead(13)])).passed, 1);
    await failureOf(check('timestamp', [ahead(15)]));
  });
});

describe('sql_check: a value that is not a finite number is not within bounds', () => {
  const bounds = [{ min: 0 }, { max: 10 }, { between: [0, 10] }, { equals: 0 }, { min: -1, tolerance: '10%' }];
  for (const value of [null, 'NaN', 'Infinity', '-Infinity', 'infinity', '', ' ', 'x', true, false, [], [0], {}, '0x0'] as Json[]) {
    it(JSON.stringify(value), () => {
      for (const each of bounds) assert.equal(withinBounds(value, each), false, JSON.stringify(each));
    });
  }
  it('numbers and texts of numbers are', () => {
    for (const value of [0, '0', '0.00', '-0', '+0', '0e3', '.0', '0.']) {
      for (const each of bounds) assert.equal(withinBounds(value, each), true, `${value} ${JSON.stringify(each)}`);
    }
  });
});

describe('sql_check, from the file to the failure', function () {
  this.timeout('1m');
  let runs: YamlRuns;

  before(async function () {
    this.timeout('20m');
    runs = await createYamlRuns({ parts: ['temporal', 'postgres'] });
  });
  after(() => runs.close());

  it('one row dated 2999 does not keep a table fresh', async () => {
    await runs.source.rows("CREATE TABLE hr_c (at timestamptz); INSERT INTO hr_c VALUES ('2026-11-20'), ('2999-01-01'), ('infinity')");
    const yaml = (within: string): string => `
dag_id: hr_chk_fresh_future
schedule_interval: "@daily"
tasks: [{name: c, type: sql_check, retries: 0, table: hr_c, checks: [{name: fresh, check: freshness, column: at, within: ${within}}]}]
`;
    const stale = await runs.run(yaml('2h'));
    assert.equal(stale.state, 'failed');
    assert.match(
      stale.tasks.c?.error ?? '',
      /fresh: 2026-11-20T00:00:00\.000Z, and it must be not older than 2h before 2026-11-27T00:00:00\S*; 2 rows in the future, up to infinity/,
    );
    assert.equal((await runs.run(yaml('7d'))).state, 'success', RUN_DAY.end);
  });
});
