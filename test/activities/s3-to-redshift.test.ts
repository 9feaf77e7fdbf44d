import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { after, before, beforeEach, describe, it } from 'mocha';
import { postgresToS3 } from '../../activities/postgres-to-s3.ts';
import { s3ToRedshift } from '../../activities/s3-to-redshift.ts';
import { deleteObjects } from '../../lib/s3.ts';
import type { DatasetReference } from '../../workflows/plan/datasets/dataset.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { createBucket, type TestBucket } from '../support/buckets.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { createOddTable, fillOddTable } from '../support/odd-data.ts';
import { type RedshiftStandIn, startRedshiftStandIn } from '../support/redshift-stand-in.ts';
import { runTask, type TaskRun } from '../support/run-task.ts';

interface Loaded {
  readonly table: string;
  readonly method: string;
  readonly rows: number;
  readonly inserted?: number;
  readonly updated?: number;
  readonly deleted?: number;
  readonly already_loaded: boolean;
}

const DIALECTS = ['postgres', 'redshift'] as const;

describe('s3_to_redshift', function () {
  this.timeout('3m');
  let source: TestDatabase;
  let warehouse: TestDatabase;
  let bucket: TestBucket;
  let redshift: RedshiftStandIn;

  before(async function () {
    this.timeout('20m');
    [source, warehouse, bucket] = await Promise.all([createDatabase(), createDatabase(), createBucket()]);
    redshift = await startRedshiftStandIn(warehouse, bucket.connection);
  });
  after(async () => {
    await redshift.close();
    await Promise.all([source.drop(), warehouse.drop(), bucket.drop()]);
  });

  const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
  const unique = (name: string): string => `${name}_${randomBytes(4).toString('hex')}`;

  async function extract(params: JsonObject): Promise<DatasetReference> {
    return runTask<DatasetReference>(postgresToS3, {
      params: { s3_bucket: bucket.name, ...params },
      environment: { SLUICE_CONN_POSTGRES_DEFAULT: source.url, SLUICE_CONN_AWS_DEFAULT: bucket.url },
      output: `s3://${bucket.name}/dag/extract/${randomBytes(4).toString('hex')}/`,
    });
  }

  /** The rows of a query as one data set. */
  const dataset = (query: string, more: JsonObject = {}): Promise<DatasetReference> => extract({ query, ...more });

  async function failure(task: Promise<unknown>): Promise<ApplicationFailure> {
    const error = await task.then(
      () => assert.fail('The task did not fail.'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ApplicationFailure, String(error));
    const said = `${error.message} ${error.stack} ${String(error.cause)}`;
    assert.ok(!said.includes(bucket.connection.secret_access_key ?? 'none'), 'a message holds the secret key');
    return error;
  }

  for (const dialect of DIALECTS) {
    describe(`with the dialect of ${dialect}`, () => {
      const environment = (): Record<string, string> => ({
        SLUICE_CONN_REDSHIFT_DEFAULT: dialect === 'postgres' ? warehouse.url : redshift.url,
        SLUICE_CONN_AWS_DEFAULT: bucket.url,
      });

      async function load(input: DatasetReference, table: string, params: JsonObject = {}, more: Partial<TaskRun> = {}): Promise<Loaded> {
        return runTask<Loaded>(s3ToRedshift, {
          params: { s3_bucket: bucket.name, redshift_table: table, ...params },
          environment: environment(),
          input,
          runId: unique('run'),
          ...more,
        });
      }

      const ledgerOf = (runId: string): Promise<Record<string, unknown>[]> =>
        warehouse.rows('SELECT * FROM sluice_loads WHERE pipeline_run_id = $1', [runId]);

      describe('a round trip', () => {
        for (const format of ['csv', 'jsonl'] as const) {
          it(`keeps every odd value as it was, through ${format}`, async () => {
            // Redshift has no bytea, arrays or json as PostgreSQL has them.
            const plain = dialect === 'redshift';
            const table = `Odd 'Table'-- ${dialect} ${format}`;
            await Promise.all([createOddTable(source, table, plain), createOddTable(warehouse, table, plain)]);
            const rows = await fillOddTable(source, table, plain);
            const reference = await extract({
              source_table: table,
              file_format: format,
              max_rows_per_file: 7,
            });
            const loaded = await load(reference, table);
            assert.equal(loaded.rows, rows);
            // In JSON lines, JSON's null cannot be told from SQL's, nor the blanks between the tokens of json.
            const kept = format === 'jsonl' && !plain ? `jsonb_set_lax(to_jsonb(t), '{doc_text}', nullif(doc_text::jsonb, 'null'))` : 't';
            const all = `SELECT (${kept})::text AS row FROM ${quoted(table)} AS t ORDER BY id`;
            assert.deepEqual(await warehouse.rows(all), await source.rows(all));
          });
        }

        it('carries 120,000 rows in many files: equal both ways', async () => {
          const table = unique('many');
          const columns = '(id integer, name varchar(200), price numeric(10, 2), at timestamptz)';
          await Promise.all([source.rows(`CREATE TABLE ${table} ${columns}`), warehouse.rows(`CREATE TABLE ${table} ${columns}`)]);
          await source.rows(
            `INSERT INTO ${table} SELECT i, CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'"q", \\n\\\\N 😀' ELSE repeat('x', i % 100) END,
               (i % 100000) / 7.0, timestamptz '2024-01-01' + i * interval '1 second' FROM generate_series(1, 120000) AS i`,
          );
          const { inserted, rows } = await load(await extract({ source_table: table, max_rows_per_file: 9_000 }), table);
          assert.deepEqual([rows, inserted], [120_000, 120_000]);
          // Two servers' databases meet in one by way of text files in memory: the copy of the source's rows is made by SQL alone.
          const { rows: expected } = await source.client.query<unknown[]>({ text: `SELECT * FROM ${table}`, rowMode: 'array' });
          await warehouse.rows(`CREATE TABLE ${table}_expected ${columns}`);
          await warehouse.rows(`INSERT INTO ${table}_expected SELECT * FROM json_populate_recordset(NULL::${table}, $1)`, [
            JSON.stringify(expected.map(([id, name, price, at]) => ({ id, name, price, at }))),
          ]);
          for (const [one, other] of [
            [table, `${table}_expected`],
            [`${table}_expected`, table],
          ]) {
            assert.deepEqual(await warehouse.rows(`SELECT * FROM ${one} EXCEPT ALL SELECT * FROM ${other}`), []);
          }
        });
      });

      describe('methods', () => {
        let table: string;
        beforeEach(async () => {
          table = unique('target');
          await warehouse.rows(
            `CREATE TABLE ${table} (id integer, name varchar(50), seen integer DEFAULT 7); INSERT INTO ${table} VALUES (1, 'old', 1), (2, 'kept', 2)`,
          );
        });
        const content = (): Promise<unknown[]> => warehouse.rows(`SELECT id, name, seen FROM ${table} ORDER BY id, name`);

        it('replace, the default: this data and nothing else', async () => {
          const { method, inserted, deleted } = await load(await dataset(`SELECT 3 AS id, 'new' AS name`), table);
          assert.deepEqual([method, inserted, deleted], ['replace', 1, 2]);
          assert.deepEqual(await content(), [{ id: 3, name: 'new', seen: 7 }]);
        });

        it('replace by nothing empties the table', async () => {
          const { rows } = await load(await dataset('SELECT 1 AS id WHERE false'), table);
          assert.deepEqual([rows, await content()], [0, []]);
        });

        it('append adds', async () => {
          await load(await dataset(`SELECT 3 AS id, 'new' AS name`), table, { method: 'append' });
          assert.equal((await content()).length, 3);
        });

        it('upsert updates what is there, adds what is not, and leaves columns alone that the data lacks', async () => {
          const counts = await load(await dataset(`SELECT * FROM (VALUES (1, 'new'), (3, NULL)) AS t(id, name)`), table, {
            method: 'upsert',
            upsert_keys: ['id'],
          });
          assert.deepEqual([counts.updated, counts.inserted], [1, 1]);
          assert.deepEqual(await content(), [
            { id: 1, name: 'new', seen: 1 },
            { id: 2, name: 'kept', seen: 2 },
            { id: 3, name: null, seen: 7 },
          ]);
        });

        it('merge updates what is there, adds what is not, and deletes what is gone', async () => {
          await warehouse.rows(`INSERT INTO ${table} VALUES (NULL, 'no key', 5)`);
          const counts = await load(await dataset(`SELECT * FROM (VALUES (1, 'new'), (3, NULL)) AS t(id, name)`), table, {
            method: 'merge',
            upsert_keys: ['id'],
          });
          assert.deepEqual([counts.updated, counts.inserted, counts.deleted], [1, 1, 2]);
          assert.deepEqual(await content(), [
            { id: 1, name: 'new', seen: 1 },
            { id: 3, name: null, seen: 7 },
          ]);
          await load(await dataset('SELECT 1 AS id WHERE false'), table, { method: 'merge', upsert_keys: ['id'] });
          assert.deepEqual(await content(), []);
        });

        it('merge refuses a table that has a key twice: it could not hold exactly the data', async () => {
          await warehouse.rows(`INSERT INTO ${table} VALUES (1, 'twice', 5)`);
          const error = await failure(load(await dataset('SELECT 1 AS id'), table, { method: 'merge', upsert_keys: ['id'] }));
          assert.deepEqual([error.type, error.nonRetryable], ['DataDoesNotFit', true]);
          assert.match(error.message, /would hold 2 rows after the load, and it must be 1: rows of the table have the same upsert_keys/);
          assert.equal((await content()).length, 3);
        });

        for (const method of ['upsert', 'merge']) {
          it(`${method} refuses a duplicate key, and NULL in a key`, async () => {
            for (const values of ['(1, 1), (1, 2)', '(1, 1), (NULL, 2)']) {
              const error = await failure(
                load(await dataset(`SELECT * FROM (VALUES ${values}) AS t(id, seen)`), table, { method, upsert_keys: ['id'] }),
              );
              assert.deepEqual([error.type, error.nonRetryable], ['DataDoesNotFit', true]);
            }
            assert.equal((await content()).length, 2);
            assert.equal((await failure(load(await dataset('SELECT 1 AS id'), table, { method }))).type, 'InvalidParameters');
          });
        }

        it('maps columns by name, or as the task says', async () => {
          await load(await dataset(`SELECT 5 AS seen, 'b' AS name, 9 AS id`), table);
          assert.deepEqual(await content(), [{ id: 9, name: 'b', seen: 5 }]);
          await load(await dataset(`SELECT 'c' AS x, 8 AS y`), table, { columns: ['name', 'id'] });
          assert.deepEqual(await content(), [{ id: 8, name: 'c', seen: 7 }]);
        });

        it('renames the fields of JSON lines, or says that it cannot', async () => {
          const renamed = load(await dataset(`SELECT 'c' AS x, 8 AS y`, { file_format: 'jsonl' }), table, { columns: ['name', 'id'] });
          if (dialect === 'redshift') {
            assert.equal((await failure(renamed)).type, 'InvalidParameters');
            return;
          }
          await renamed;
          assert.deepEqual(await content(), [{ id: 8, name: 'c', seen: 7 }]);
        });
      });

      describe('no effect twice', () => {
        let table: string;
        let input: DatasetReference;
        beforeEach(async () => {
          table = unique('target');
          await warehouse.rows(`CREATE TABLE ${table} (id integer)`);
          input = await dataset('SELECT generate_series(1, 10) AS id');
        });
        const count = async (): Promise<number> =>
          Number((await warehouse.rows<{ count: string }>(`SELECT count(*) FROM ${table}`))[0]?.count);

        it('writes the ledger with the load', async () => {
          const runId = unique('run');
          await load(input, table, { method: 'append' }, { runId, dagId: 'etl', task: 'load' });
          const [row] = await ledgerOf(runId);
          const { loaded_at: at, row_count: rows, ...rest } = row ?? {};
          assert.ok(at instanceof Date && Math.abs(Date.now() - at.getTime()) < 60_000);
          assert.equal(Number(rows), 10);
          assert.deepEqual(rest, {
            pipeline_run_id: runId,
            task: 'load',
            dag_id: 'etl',
            interval_start: new Date('2024-01-01T00:00:00Z'),
            interval_end: new Date('2024-01-02T00:00:00Z'),
            table_name: table,
            method: 'append',
            manifest: input.manifest,
            execution: `first of ${runId}`,
            data_key: '',
            checksum: input.checksum,
          });
        });

        it('an attempt after one whose answer was lost does nothing', async () => {
          const runId = unique('run');
          await load(input, table, { method: 'append' }, { runId });
          const again = await load(input, table, { method: 'append' }, { runId, attempt: 2 });
          assert.deepEqual([again.already_loaded, again.rows, await count()], [true, 10, 10]);
        });

        it('another run may not append the same interval; another interval and another task may', async () => {
          await load(input, table, { method: 'append' });
          const error = await failure(load(input, table, { method: 'append' }));
          assert.deepEqual([error.type, error.nonRetryable], ['IntervalAlreadyLoaded', true]);
          assert.match(error.message, /upsert or replace/);
          await load(input, table, { method: 'append' }, { task: 'other_task' });
          await load(
            input,
            table,
            { method: 'append' },
            { interval: { start: '2024-01-02T00:00:00.000Z', end: '2024-01-03T00:00:00.000Z' } },
          );
          assert.equal(await count(), 30);
        });

        it('two loads at once go one after the other', async () => {
          const loads = await Promise.allSettled([
            ...Array.from({ length: 3 }, () => load(input, table)),
            ...Array.from({ length: 3 }, () => load(input, table, { method: 'upsert', upsert_keys: ['id'] })),
          ]);
          assert.deepEqual(
            loads.filter(({ status }) => status === 'rejected'),
            [],
          );
          assert.equal(await count(), 10);
          const runId = unique('run');
          const same = await Promise.all(
            Array.from({ length: 3 }, () => load(input, table, { method: 'append' }, { runId, task: 'twice' })),
          );
          assert.deepEqual([same.filter((loaded) => !loaded.already_loaded).length, await count()], [1, 20]);
        });

        it('readers see the old rows or the new, never none', async () => {
          await load(input, table);
          const counts = new Set<number>();
          let loading = true;
          const reading = (async () => {
            while (loading) counts.add(await count());
          })();
          for (let round = 0; round < 5; round++) await load(input, table);
          loading = false;
          await reading;
          assert.deepEqual([...counts], [10]);
        });

        it('a cancelled load leaves the table as it was', async () => {
          await load(input, table);
          const many = await dataset('SELECT generate_series(1, 400000) AS id', { max_rows_per_file: 20_000 });
          const holder = await createHolder(table);
          const cancelled = load(many, table, {}, { onProgress: (_point, cancel) => setTimeout(cancel, 700) });
          await assert.rejects(cancelled, CancelledFailure);
          await holder();
          assert.equal(await count(), 10);
        });

        /** Keeps the locks that a load waits for, so that it can be met in the middle. */
        async function createHolder(held: string): Promise<() => Promise<void>> {
          await warehouse.rows('BEGIN');
          await warehouse.rows(`LOCK TABLE ${held}, sluice_loads IN ROW EXCLUSIVE MODE`);
          return async () => void (await warehouse.rows('ROLLBACK'));
        }
      });

      describe('data that is not what the manifest says', () => {
        let table: string;
        let input: DatasetReference;
        beforeEach(async () => {
          table = unique('target');
          await warehouse.rows(`CREATE TABLE ${table} (id integer NOT NULL, name varchar(10)); INSERT INTO ${table} VALUES (0, 'before')`);
          input = await dataset(`SELECT i AS id, 'n' AS name FROM generate_series(1, 30) AS i`, {
            max_rows_per_file: 10,
            compression: 'none',
          });
        });
        const untouched = async (): Promise<void> => {
          assert.deepEqual(await warehouse.rows(`SELECT * FROM ${table}`), [{ id: 0, name: 'before' }]);
        };
        const key = async (part: number): Promise<string> =>
          (await bucket.keys(input.uri.replace(`s3://${bucket.name}/`, ''))).find((name) => name.includes(`part-0000${part}`)) ??
          assert.fail(`There is no file ${part}.`);

        it('a file that another has written to: DatasetChanged, and nothing is loaded', async () => {
          for (const body of ['1,a\n', '1,"cut short', '']) {
            await bucket.put(await key(1), body);
            const error = await failure(load(input, table));
            assert.deepEqual([error.type, error.nonRetryable], ['DatasetChanged', false], error.message);
            await untouched();
          }
        });

        it('a file that is gone', async () => {
          await deleteObjects(bucket.client, bucket.name, [await key(2)], AbortSignal.timeout(10_000));
          const error = await failure(load(input, table));
          assert.deepEqual([error.type, error.nonRetryable], ['DatasetChanged', false]);
          assert.match(error.message, /part-00002/);
          await untouched();
        });

        it('no manifest: DatasetNotFound', async () => {
          const missing = `s3://${bucket.name}/no/such/manifest.json`;
          const error = await failure(load({ ...input, manifest: missing }, table));
          assert.deepEqual([error.type, error.nonRetryable], ['DatasetNotFound', true]);
          assert.equal((await failure(load(input, table, { s3_key: 'no/such' }, {}))).type, 'DatasetNotFound');
          await bucket.put('some/manifest.json', '{"entries": []}');
          assert.match((await failure(load(input, table, { s3_key: 'some/' }))).message, /not a manifest/);
        });

        it('loads a dataset written earlier, by its prefix', async () => {
          const prefix = input.uri.replace(`s3://${bucket.name}/`, '');
          assert.equal((await load(input, table, { s3_key: prefix })).rows, 30);
        });

        it('a value that does not fit: the file, the line and the column', async () => {
          const bad = await dataset(
            `SELECT i AS id, CASE WHEN i = 13 THEN 'far too long for this' ELSE 'n' END AS name FROM generate_series(1, 30) AS i`,
            { max_rows_per_file: 10 },
          );
          const error = await failure(load(bad, table));
          assert.deepEqual([error.type, error.nonRetryable], ['DataDoesNotFit', true]);
          assert.match(error.message, /part-00001-\w+\.csv\.gz.*line 3.*name/s);
          await untouched();
          const text = await failure(load(await dataset(`SELECT 'x' AS id`), table));
          assert.equal(text.type, 'DataDoesNotFit');
          const lines = await failure(load(await dataset(`SELECT 'x' AS id`, { file_format: 'jsonl' }), table));
          assert.equal(lines.type, 'DataDoesNotFit', lines.message);
          const nothing = await failure(load(await dataset('SELECT NULL::int AS id'), table));
          assert.equal(nothing.type, 'DataDoesNotFit', nothing.message);
          await untouched();
        });

        it('columns that do not go together: both lists', async () => {
          const extra = await failure(load(await dataset('SELECT 1 AS id, 2 AS nmae'), table));
          assert.equal(extra.type, 'ColumnNotFound');
          assert.match(extra.message, /'nmae'.*Did you mean 'name'.*id, name.*id, nmae/);
          const lacking = await failure(load(await dataset(`SELECT 'a' AS name`), table));
          assert.equal(lacking.type, 'DataDoesNotFit');
          assert.match(lacking.message, /needs a value for id/);
        });

        it('a table that is not there: how to create it', async () => {
          const error = await failure(load(input, `${table}s`));
          assert.deepEqual([error.type, error.nonRetryable], ['TableNotFound', true]);
          assert.match(
            error.message,
            new RegExp(`Did you mean .*${table}.*CREATE TABLE "public"."${table}s" \\("id" integer, "name" text\\)`),
          );
        });
      });
    });
  }

  describe('PostgreSQL alone', () => {
    it('takes identity columns for filled', async () => {
      await warehouse.rows(
        'CREATE TABLE numbered (key integer GENERATED ALWAYS AS IDENTITY, id integer NOT NULL, twice integer GENERATED ALWAYS AS (id * 2) STORED)',
      );
      await runTask(s3ToRedshift, {
        params: { s3_bucket: bucket.name, redshift_table: 'numbered' },
        environment: { SLUICE_CONN_REDSHIFT_DEFAULT: warehouse.url, SLUICE_CONN_AWS_DEFAULT: bucket.url },
        input: await dataset('SELECT 21 AS id'),
        runId: unique('run'),
      });
      assert.deepEqual(await warehouse.rows('SELECT * FROM numbered'), [{ key: 1, id: 21, twice: 42 }]);
    });

    it("refuses options that are Redshift's", async () => {
      const error = await failure(
        runTask(s3ToRedshift, {
          params: { s3_bucket: bucket.name, redshift_table: 'numbered', copy_options: ['TRUNCATECOLUMNS'] },
          environment: { SLUICE_CONN_REDSHIFT_DEFAULT: warehouse.url, SLUICE_CONN_AWS_DEFAULT: bucket.url },
          input: await dataset('SELECT 21 AS id'),
        }),
      );
      assert.equal(error.type, 'InvalidParameters');
    });
  });

  describe('Redshift that fails', () => {
    let table: string;
    let input: DatasetReference;
    beforeEach(async () => {
      table = unique('target');
      await warehouse.rows(`CREATE TABLE ${table} (id integer)`);
      input = await dataset('SELECT generate_series(1, 30) AS id', { max_rows_per_file: 10 });
    });
    const count = async (): Promise<number> => Number((await warehouse.rows<{ count: string }>(`SELECT count(*) FROM ${table}`))[0]?.count);
    const load = (url: string, runId: string, more: Partial<TaskRun> & { aws?: string; options?: string[] } = {}): Promise<Loaded> =>
      runTask<Loaded>(s3ToRedshift, {
        params: { s3_bucket: bucket.name, redshift_table: table, method: 'append', ...(more.options && { copy_options: more.options }) },
        environment: { SLUICE_CONN_REDSHIFT_DEFAULT: url, SLUICE_CONN_AWS_DEFAULT: more.aws ?? bucket.url },
        input,
        runId,
        task: table,
      });

    it('breaks off in mid-COPY: nothing is loaded, and the next attempt loads all', async () => {
      const runId = unique('run');
      redshift.misbehave('break-in-copy');
      const error = await failure(load(redshift.url, runId));
      assert.deepEqual([error.type, error.nonRetryable, await count()], ['PostgresUnavailable', false, 0]);
      assert.deepEqual([(await load(redshift.url, runId)).already_loaded, await count()], [false, 30]);
    });

    it('refuses the COMMIT: nothing is loaded, and the next attempt loads all', async () => {
      const runId = unique('run');
      redshift.misbehave('refuse-commit');
      const error = await failure(load(redshift.url, runId));
      assert.deepEqual([error.type, error.nonRetryable, await count()], ['PostgresUnavailable', false, 0]);
      assert.match(error.message, /Serializable isolation violation/);
      assert.deepEqual([(await load(redshift.url, runId)).already_loaded, await count()], [false, 30]);
    });

    it('loses the answer to COMMIT: the next attempt finds the load, and nothing is doubled', async () => {
      const runId = unique('run');
      redshift.misbehave('lose-commit');
      const error = await failure(load(redshift.url, runId));
      assert.deepEqual([error.type, error.nonRetryable], ['PostgresUnavailable', false]);
      const again = await load(redshift.url, runId);
      assert.deepEqual([again.already_loaded, again.rows, await count()], [true, 30, 30]);
    });

    it('reads no rows and says that all is well: DatasetChanged', async () => {
      redshift.misbehave('skip-rows');
      const error = await failure(load(redshift.url, unique('run')));
      assert.deepEqual([error.type, await count()], ['DatasetChanged', 0]);
    });

    it('uses keys where it has no role, and never shows them', async () => {
      await load(redshift.urlWithoutRole, unique('run'));
      assert.equal(await count(), 30);
      const { endpoint_url: endpoint = '', access_key_id: id = '', secret_access_key: secret = '' } = bucket.connection;
      assert.ok(redshift.statements.some((sql) => sql.includes(`ACCESS_KEY_ID '${id}' SECRET_ACCESS_KEY '${secret}'`)));
      const server = `?endpoint_url=${encodeURIComponent(endpoint)}`;
      // The manifest is read with the right keys; Redshift gets others.
      const wrong = await failure(load(redshift.urlWithoutRole, unique('run'), { aws: `aws://${id}:wrong-secret@/${server}` }));
      assert.equal(wrong.type, 'AccessDenied');
      assert.doesNotMatch(wrong.message, /wrong-secret/);
    });

    it('takes the options it knows', async () => {
      const from = redshift.statements.length;
      await load(redshift.url, unique('run'), { options: ['TRUNCATECOLUMNS', 'STATUPDATE OFF'] });
      assert.ok(redshift.statements.slice(from).some((sql) => / TRUNCATECOLUMNS STATUPDATE OFF MANIFEST$/.test(sql)));
    });

    it('does all in one transaction, whose first statement locks the ledger, and no lock stops readers of the table', async () => {
      const from = redshift.statements.length;
      await load(redshift.url, unique('run'));
      const order = redshift.statements.slice(from).filter((sql) => /^(COPY|BEGIN|LOCK|COMMIT|CREATE|DROP)/.test(sql));
      assert.equal(order.map((sql) => sql.split(' ')[0]).join(' '), 'BEGIN LOCK CREATE COPY DROP COMMIT');
      assert.ok(redshift.statements.filter((sql) => sql.startsWith('LOCK')).every((sql) => sql.endsWith('sluice_loads')));
    });
  });
});
