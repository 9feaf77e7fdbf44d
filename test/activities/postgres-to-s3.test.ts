import { ActivityCancellationDetails } from '@temporalio/common';
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { CreateMultipartUploadCommand, DeleteObjectCommand } from '@aws-sdk/client-s3';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { after, before, describe, it } from 'mocha';
import { postgresToS3 } from '../../activities/postgres-to-s3.ts';
import type { DatasetManifest, DatasetReference } from '../../workflows/plan/datasets/dataset.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { type TestBucket, createBucket } from '../support/buckets.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { ODD_COLUMN } from '../support/odd-data.ts';
import { eventually } from '../support/eventually.ts';
import { runTask, type TaskRun } from '../support/run-task.ts';

describe('postgres_to_s3', function () {
  let source: TestDatabase;
  let bucket: TestBucket;

  before(async function () {
    this.timeout('20m');
    [source, bucket] = await Promise.all([createDatabase(), createBucket()]);
    await source.rows(`CREATE TABLE items (id integer, name text, at timestamptz)`);
    await source.rows(
      `INSERT INTO items SELECT i, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'two\\nlines, "quoted"' ELSE 'item ' || i END,
         timestamptz '2024-01-01 00:00:00+00' + i * interval '1 minute' FROM generate_series(1, 5000) AS i`,
    );
    await source.rows(
      `CREATE SCHEMA sales; CREATE TABLE sales.orders (id integer, total numeric(12, 2)); CREATE TABLE nothing (id integer)`,
    );
  });
  after(async () => {
    await Promise.all([source.drop(), bucket.drop()]);
  });

  const prefix = (): string => `dag/task/${randomBytes(4).toString('hex')}/`;

  async function extract(params: JsonObject, key = prefix(), more: Partial<TaskRun> = {}): Promise<DatasetReference> {
    return runTask<DatasetReference>(postgresToS3, {
      params: { s3_bucket: bucket.name, ...params },
      environment: { SLUICE_CONN_POSTGRES_DEFAULT: source.url, SLUICE_CONN_AWS_DEFAULT: bucket.url },
      output: `s3://${bucket.name}/${key}`,
      ...more,
    });
  }

  const inBucket = (uri: string): string => uri.replace(`s3://${bucket.name}/`, '');

  async function manifestOf({ manifest }: DatasetReference): Promise<DatasetManifest> {
    return JSON.parse(await bucket.text(manifest.replace(`s3://${bucket.name}/`, ''))) as DatasetManifest;
  }

  /** The rows as the files have them, in order. */
  async function content(reference: DatasetReference): Promise<string> {
    const { entries } = await manifestOf(reference);
    const files = await Promise.all(entries.map(({ url }) => bucket.text(url.replace(`s3://${bucket.name}/`, ''))));
    return files.join('');
  }

  /** The keys there are, without what tells the runs' files apart. */
  async function unmarked(key: string): Promise<string[]> {
    return (await bucket.keys(key)).map((name) => name.replace(/-[0-9a-f]{12}\./, '.'));
  }

  async function failure(task: Promise<unknown>): Promise<ApplicationFailure> {
    const error = await task.then(
      () => assert.fail('The task did not fail.'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ApplicationFailure, String(error));
    assert.doesNotMatch(
      `${error.message} ${String(error.cause)}`,
      new RegExp(new URL(source.url.replace('postgresql:', 'http:')).password),
    );
    return error;
  }

  describe('what it writes', () => {
    it('splits into files; the manifest has their bytes, rows and checksums', async () => {
      const key = prefix();
      const points: unknown[] = [];
      const reference = await extract({ source_table: 'items', max_rows_per_file: 1500 }, key, {
        onProgress: (point) => points.push(point),
      });
      const manifest = await manifestOf(reference);
      assert.deepEqual(
        manifest.entries.map(({ rows }) => rows),
        [1500, 1500, 1500, 500],
      );
      assert.equal(manifest.rows, 5000);
      assert.match(reference.uri, new RegExp(`^s3://${bucket.name}/${key}run-[0-9a-f]{8}-20240102T000000\\.000Z-[0-9a-f]{12}/$`));
      assert.deepEqual(reference, {
        uri: reference.uri,
        manifest: `${reference.uri}manifest.json`,
        format: 'csv',
        rows: 5000,
        bytes: manifest.bytes,
        schema: [
          { name: 'id', type: 'integer' },
          { name: 'name', type: 'text' },
          { name: 'at', type: 'timestamp with time zone' },
        ],
        checksum: createHash('sha256')
          .update(await bucket.bytes(inBucket(reference.manifest)))
          .digest('hex'),
      });
      for (const { url, meta, sha256 } of manifest.entries) {
        const stored = await bucket.bytes(url.replace(`s3://${bucket.name}/`, ''));
        assert.equal(stored.length, meta.content_length);
        assert.equal(createHash('sha256').update(stored).digest('hex'), sha256);
      }
      assert.equal(
        manifest.bytes,
        manifest.entries.reduce((sum, { meta }) => sum + meta.content_length, 0),
      );
      const own = inBucket(reference.uri);
      const list = Array.from({ length: 4 }, (_, index) => `${own}part-0000${index}-1.csv.gz`);
      assert.deepEqual(await bucket.keys(key), [`${key}manifest.json`, `${own}manifest.json`, ...list]);
      assert.equal(await bucket.text(`${key}manifest.json`), await bucket.text(`${own}manifest.json`), 'readers outside see the same');
      assert.deepEqual(points.at(-1), { rows: 5000, bytes: manifest.bytes, files: 4 });
    });

    it('distinguishes NULL from the empty string', async () => {
      const text = await content(await extract({ query: `SELECT 1 AS one, NULL AS none, '' AS empty`, compression: 'none' }));
      assert.equal(text, '1,,""\n');
    });

    it('makes no file of no rows', async () => {
      const reference = await extract({ source_table: 'nothing' });
      assert.deepEqual([reference.rows, reference.bytes, (await manifestOf(reference)).entries], [0, 0, []]);
    });

    it('writes JSON lines, one line a row, for any value', async () => {
      const reference = await extract({
        query: String.raw`SELECT 1 AS a, E'x\n"y\\\u0001' AS b, '{"k" :
          1}'::json AS doc, NULL AS n, 12345678901234567890.123 AS big`,
        file_format: 'jsonl',
        compression: 'none',
      });
      const text = await content(reference);
      assert.equal(text.split('\n').length, 2);
      assert.match(text, /"big":12345678901234567890\.123/);
      assert.deepEqual(JSON.parse(text), { a: 1, b: 'x\n"y\\\u0001', doc: { k: 1 }, n: null, big: Number('12345678901234567890.123') });
    });

    it('is the same for every setting of server and role', async () => {
      const query = `SELECT timestamptz '2024-05-01 12:00+02' AS at, date '2024-05-06' AS day, interval '1 day 2 hours' AS span, 0.1::float8 + 0.2 AS f, '\\x00ff'::bytea AS raw`;
      const plain = await content(await extract({ query }));
      await source.rows(
        `ALTER DATABASE ${source.name} SET datestyle = 'SQL, DMY'; ALTER DATABASE ${source.name} SET timezone = 'Asia/Tokyo';
         ALTER DATABASE ${source.name} SET extra_float_digits = 0; ALTER DATABASE ${source.name} SET bytea_output = 'escape'; ALTER DATABASE ${source.name} SET intervalstyle = 'iso_8601'`,
      );
      const set = await content(await extract({ query })).finally(() => source.rows(`ALTER DATABASE ${source.name} RESET ALL`));
      assert.equal(set, plain);
      assert.match(plain, /2024-05-01 10:00:00\+00,2024-05-06,1 day 02:00:00,0\.30000000000000004/);
    });

    it('takes what the run asks for: columns, condition, interval', async () => {
      const reference = await extract(
        {
          source_table: 'items',
          columns: ['name', 'id'],
          where: 'id % 2 = 0 -- a comment at the end',
          incremental: { column: 'at', lag: '1h' },
        },
        prefix(),
        { interval: { start: '2024-01-01T02:00:00.000Z', end: '2024-01-01T03:00:00.000Z' } },
      );
      // Minutes 60 to 179 of the table, of which half are even.
      assert.equal(reference.rows, 60);
      assert.deepEqual(
        reference.schema.map(({ name }) => name),
        ['name', 'id'],
      );
    });

    it('needs the same memory for any number of rows', async () => {
      // 270 MB that gzip cannot make small: what were held back anywhere would show.
      const query = `SELECT id, (SELECT string_agg(md5(id || '-' || i), '') FROM generate_series(1, 14) AS i) AS text FROM generate_series(1, 600000) AS id`;
      let most = 0;
      const before = process.memoryUsage();
      const sampling = setInterval(() => {
        const { arrayBuffers, heapUsed } = process.memoryUsage();
        most = Math.max(most, arrayBuffers + heapUsed - before.arrayBuffers - before.heapUsed);
      }, 20);
      const { bytes } = await extract({ query, max_rows_per_file: 250_000 }).finally(() => clearInterval(sampling));
      assert.ok(bytes > 140e6, `${bytes} bytes`);
      assert.ok(most < 100e6, `${most} bytes of memory`);
    });

    it('reads one snapshot while others write', async () => {
      await source.rows(
        'CREATE TABLE ledger (id integer, amount integer); INSERT INTO ledger SELECT i, 1 FROM generate_series(1, 100000) i',
      );
      let moving = true;
      const movers = (async () => {
        while (moving)
          await source.rows(
            'WITH gone AS (DELETE FROM ledger WHERE id = (SELECT min(id) FROM ledger) RETURNING amount) INSERT INTO ledger SELECT (SELECT max(id) + 1 FROM ledger), amount FROM gone',
          );
      })();
      const reference = await extract({ source_table: 'ledger', max_rows_per_file: 10_000 }).finally(() => {
        moving = false;
      });
      await movers;
      const ids = (await content(reference))
        .trimEnd()
        .split('\n')
        .map((line) => Number(line.split(',')[0]));
      assert.equal(ids.length, 100_000);
      assert.equal(Math.max(...ids.slice(0, 10)) >= 1 && new Set(ids).size, 100_000);
      const sorted = ids.sort((one, other) => one - other);
      assert.equal((sorted.at(-1) ?? 0) - (sorted[0] ?? 0), 99_999, 'one moment: no gap, no double');
    });
  });

  describe('what it leaves behind', () => {
    it('gives the answer of an attempt that was lost: the data is not read again', async () => {
      const key = prefix();
      const query = 'SELECT md5(random()::text) AS x';
      const first = await extract({ query }, key);
      assert.deepEqual(await extract({ query }, key, { attempt: 2 }), first);
    });

    it('removes what a killed attempt has left, and nothing beside it', async () => {
      const key = prefix();
      const where = await extract({ source_table: 'items' }, key);
      const own = inBucket(where.uri);
      await bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.name, Key: `${own}manifest.json` }));
      await bucket.put(`${own}part-00099-1.csv.gz`, 'left by a killed attempt');
      await bucket.client.send(new CreateMultipartUploadCommand({ Bucket: bucket.name, Key: `${own}part-00050-2.csv.gz` }));
      await bucket.put(`${key}README.txt`, 'mine');
      const again = await extract({ source_table: 'items', max_rows_per_file: 3000 }, key, { attempt: 2 });
      assert.equal(again.uri, where.uri);
      assert.deepEqual(await bucket.keys(key), [
        `${key}README.txt`,
        `${key}manifest.json`,
        ...['manifest.json', 'part-00000-2.csv.gz', 'part-00001-2.csv.gz'].map((name) => own + name),
      ]);
      assert.equal(await bucket.uploads(), 0);
    });

    it('runs of one interval keep their data apart, and readers outside see the run that started last', async () => {
      for (const [runId, startedAt] of [
        ['dag/scheduled/one', '2024-01-02T00:00:05.000Z'],
        ['dag/manual/late', '2024-01-02T00:00:04.999Z'],
      ] as const) {
        const query = `SELECT '${runId}' AS run`;
        const reference = await extract({ query, s3_key: 'exports/runs', compression: 'none' }, prefix(), { runId, run: { startedAt } });
        assert.equal(await content(reference), `${runId}\n`);
      }
      const seen = await content({ manifest: `s3://${bucket.name}/exports/runs/manifest.json` } as DatasetReference);
      assert.equal(seen, 'dag/scheduled/one\n');
    });

    it('the data of the newest runs of an interval stays, and that of runs that have not ended', async () => {
      const key = prefix();
      const references: DatasetReference[] = [];
      for (let run = 0; run < 8; run++) {
        const startedAt = `2024-01-02T00:00:00.00${run}Z`;
        references.push(await extract({ query: `SELECT ${run}` }, key, { runId: `dag/manual/${run}`, run: { startedAt } }));
      }
      const kept = await bucket.keys(key);
      const isKept = ({ manifest }: DatasetReference): boolean => kept.includes(inBucket(manifest));
      assert.deepEqual(references.map(isKept), [false, false, false, false, false, true, true, true]);
    });

    it('two runs at once for one interval do not disturb each other: each has its own data, whole', async () => {
      const key = prefix();
      const query = (of: string): string => `SELECT '${of}' AS run, id FROM generate_series(1, 200000) AS id`;
      const references = await Promise.all(
        ['a', 'b', 'c'].map((of) => extract({ query: query(of), max_rows_per_file: 20_000 }, key, { runId: `dag/manual/${of}` })),
      );
      for (const [index, reference] of references.entries()) {
        const lines = (await content(reference)).trimEnd().split('\n');
        assert.equal(lines.length, 200_000);
        assert.deepEqual([...new Set(lines.map((line) => line[0]))], ['abc'[index]]);
      }
    });

    describe('for runs that an earlier release started, in the folder that they share', () => {
      const earlier = { run: null };

      it('replaces what an earlier attempt has left, and nothing beside it', async () => {
        const key = prefix();
        await extract({ source_table: 'items', max_rows_per_file: 500 }, key, earlier);
        const [mark] = /-[0-9a-f]{12}\./.exec((await bucket.keys(key)).join()) ?? assert.fail('no mark');
        await bucket.put(`${key}part-00099${mark}csv.gz`, 'left by a killed attempt');
        await bucket.client.send(new CreateMultipartUploadCommand({ Bucket: bucket.name, Key: `${key}part-00050${mark}csv.gz` }));
        await extract({ source_table: 'items', max_rows_per_file: 3000 }, key, earlier);
        assert.deepEqual(await unmarked(key), [`${key}manifest.json`, `${key}part-00000.csv.gz`, `${key}part-00001.csv.gz`]);
        assert.equal(await bucket.uploads(), 0);
      });

      it('replaces the dataset of an earlier run, and nothing beside it; a newer run takes it over', async () => {
        await bucket.put('exports/items/README.txt', 'mine');
        await bucket.put('exports/items/part-00007.csv.gz', 'mine too');
        for (const runId of ['dag/scheduled/one', 'dag/rerun/two'])
          await extract({ source_table: 'items', s3_key: 'exports/items' }, prefix(), { runId, ...earlier });
        const others = ['exports/items/README.txt', 'exports/items/manifest.json', 'exports/items/part-00007.csv.gz'];
        assert.deepEqual(await unmarked('exports/items/'), [...others, 'exports/items/part-00000.csv.gz'].sort());
        const newer = await extract({ source_table: 'items', s3_key: 'exports/items' });
        const own = ['manifest.json', 'part-00000-1.csv.gz'].map((name) => inBucket(newer.uri) + name);
        assert.deepEqual(await bucket.keys('exports/items/'), [...others, ...own]);
      });
    });

    it('keeps the dataset of another run when this one fails', async () => {
      const key = prefix();
      const reference = await extract({ source_table: 'items' }, key);
      await failure(extract({ query: 'SELECT 1 / (20 - id) FROM generate_series(1, 30) AS id' }, key, { runId: 'dag/manual/other' }));
      assert.equal((await content(reference)).length > 0, true);
    });

    it('leaves nothing when the query fails in the middle', async () => {
      const key = prefix();
      const error = await failure(
        extract({ query: 'SELECT id, 1 / (100000 - id) AS x FROM generate_series(1, 200000) AS id', max_rows_per_file: 10_000 }, key),
      );
      assert.deepEqual([error.type, error.nonRetryable], ['QueryFailed', true]);
      assert.match(error.message, /division by zero/);
      assert.deepEqual([await bucket.keys(key), await bucket.uploads()], [[], 0]);
    });

    it('leaves nothing, and stops the server, when it is cancelled in the middle', async () => {
      const key = prefix();
      // Random bytes do not compress: a multipart upload is under way when the cancellation comes.
      const query = `SELECT id, md5(random()::text) || md5(random()::text) || md5(random()::text) AS a, pg_sleep(0) AS sluice_slow FROM generate_series(1, 50000000) AS id`;
      const cancelled = extract({ query, max_rows_per_file: 100_000 }, key, {
        onProgress: (point, cancel) => {
          if (((point as { files?: number } | undefined)?.files ?? 0) > 0) cancel();
        },
      });
      await assert.rejects(cancelled, CancelledFailure);
      assert.deepEqual([await bucket.keys(key), await bucket.uploads()], [[], 0]);
      await eventually(async () => {
        const busy = await source.rows(
          `SELECT pid FROM pg_stat_activity WHERE query LIKE '%sluice_slow%' AND state = 'active' AND pid <> pg_backend_pid()`,
        );
        assert.deepEqual(busy, []);
      });
    });

    it('touches nothing more once the server has given the attempt up: its successor may be at work there', async () => {
      const key = prefix();
      const query = `SELECT id, md5(random()::text) AS a FROM generate_series(1, 50000000) AS id`;
      const givenUp = extract({ query, max_rows_per_file: 100_000 }, key, {
        onProgress: (point, cancel) => {
          if (((point as { files?: number } | undefined)?.files ?? 0) > 0) cancel(new ActivityCancellationDetails({ timedOut: true }));
        },
      });
      await assert.rejects(givenUp, CancelledFailure);
      assert.ok((await bucket.keys(key)).length > 0, "what lies there may be the successor's");
    });

    it('leaves nothing, and can be tried again, when PostgreSQL ends the session in the middle', async () => {
      const key = prefix();
      let killed = false;
      const error = await failure(
        extract(
          {
            query: `SELECT id, md5(id::text) AS a, 'sluice_killed' AS mark FROM generate_series(1, 50000000) AS id`,
            max_rows_per_file: 100_000,
          },
          key,
          {
            onProgress: (point) => {
              if (killed || ((point as { files?: number } | undefined)?.files ?? 0) === 0) return;
              killed = true;
              void source.rows(
                `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%sluice_killed%' AND pid <> pg_backend_pid()`,
              );
            },
          },
        ),
      );
      assert.deepEqual([error.type, error.nonRetryable], ['PostgresUnavailable', false]);
      assert.deepEqual([await bucket.keys(key), await bucket.uploads()], [[], 0]);
    });
  });

  describe('names and SQL of others', () => {
    it('quotes every identifier', async () => {
      const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
      const table = `Odd 'table' -- DROP TABLE items`;
      await source.rows(
        `CREATE TABLE ${quoted(table)} (${quoted(ODD_COLUMN)} integer, "Upper" date); INSERT INTO ${quoted(table)} VALUES (1, '2024-01-01')`,
      );
      const reference = await extract({ source_table: table, columns: [ODD_COLUMN, 'Upper'], incremental: { column: 'Upper' } });
      assert.equal(reference.rows, 1);
      assert.deepEqual(
        reference.schema.map(({ name }) => name),
        [ODD_COLUMN, 'Upper'],
      );
    });

    it('reads schema.table, and names with dots in quotes', async () => {
      await source.rows(`CREATE TABLE sales."odd.name" (id integer)`);
      assert.equal((await extract({ source_table: 'sales.orders' })).schema[1]?.type, 'numeric(12,2)');
      assert.equal((await extract({ source_table: 'sales."odd.name"' })).rows, 0);
    });

    const harmful: readonly (readonly [what: string, params: JsonObject])[] = [
      ['a second statement', { query: 'SELECT 1 AS a; DROP TABLE items' }],
      ['a closed parenthesis', { query: `SELECT 1 AS a) TO STDOUT; DROP TABLE items; --` }],
      ['a program', { query: `SELECT 1 AS a) TO PROGRAM 'touch /tmp/sluice_was_here'; --` }],
      ['a comment that does not end', { query: 'SELECT 1 AS a /*' }],
      ['a DELETE', { query: 'DELETE FROM items RETURNING id' }],
      ['a WITH that deletes', { query: 'WITH gone AS (DELETE FROM items RETURNING id) SELECT * FROM gone' }],
      ['SELECT INTO', { query: 'SELECT * INTO copied FROM items' }],
      ['a function that writes', { query: `SELECT setval('counter', 42) AS a` }],
      ['a condition that closes', { source_table: 'items', where: 'true) TO STDOUT; DROP TABLE items; --' }],
      ['a condition with UNION', { source_table: 'items', where: 'false UNION SELECT 1, usename, now() FROM pg_user' }],
      ['two columns of one name', { query: 'SELECT 1 AS a, 2 AS a' }],
      ['nothing', { query: ' ; ' }],
    ];
    for (const [what, params] of harmful) {
      it(`refuses ${what}`, async () => {
        await source.rows('CREATE SEQUENCE IF NOT EXISTS counter');
        const key = prefix();
        const error = await failure(extract(params, key));
        assert.deepEqual([error.type, error.nonRetryable], ['QueryFailed', true], error.message);
        assert.equal((await source.rows<{ count: string }>('SELECT count(*) FROM items'))[0]?.count, '5000');
        assert.deepEqual(await bucket.keys(key), []);
      });
    }

    it('takes a query as people write it: WITH, a semicolon, a comment at the end', async () => {
      assert.equal(
        (await extract({ query: 'WITH few AS (SELECT id FROM items WHERE id <= 3) SELECT * FROM few ORDER BY id DESC LIMIT 2;\n' })).rows,
        2,
      );
      assert.equal((await extract({ query: 'SELECT id FROM items WHERE id <= 3 -- the first' })).rows, 3);
      assert.equal((await extract({ query: 'VALUES (1, 2), (3, 4)' })).rows, 2);
    });
  });

  describe('failures name the cause and the remedy', () => {
    it('a table that is not there: the near one', async () => {
      const error = await failure(extract({ source_table: 'itms' }));
      assert.deepEqual([error.type, error.nonRetryable], ['TableNotFound', true]);
      assert.match(error.message, /'itms'.*postgres_default.*Did you mean 'items'/);
      assert.match((await failure(extract({ source_table: 'orders' }))).message, /Did you mean 'sales\.orders'/);
      assert.match((await failure(extract({ source_table: 'Items' }))).message, /Did you mean 'items'/);
    });

    it('a column that is not there', async () => {
      const error = await failure(extract({ source_table: 'items', columns: ['id', 'nmae'] }));
      assert.equal(error.type, 'ColumnNotFound');
      assert.match(error.message, /'nmae'.*Did you mean 'name'.*id, name, at/);
      assert.equal((await failure(extract({ source_table: 'items', where: 'nmae = 1' }))).type, 'ColumnNotFound');
      assert.equal((await failure(extract({ query: 'SELECT id FROM itms' }))).type, 'TableNotFound');
    });

    it('a user without the right, and a wrong password', async () => {
      const role = `reader_${randomBytes(4).toString('hex')}`;
      await source.rows(`CREATE ROLE ${role} LOGIN PASSWORD 'a-password'`);
      try {
        const url = new URL(source.url.replace('postgresql:', 'http:'));
        const as = (user: string, password: string): Partial<TaskRun> => ({
          environment: {
            SLUICE_CONN_POSTGRES_DEFAULT: `postgresql://${user}:${password}@${url.host}${url.pathname}`,
            SLUICE_CONN_AWS_DEFAULT: bucket.url,
          },
        });
        const denied = await failure(extract({ source_table: 'items' }, prefix(), as(role, 'a-password')));
        assert.deepEqual([denied.type, denied.nonRetryable], ['AccessDenied', true]);
        assert.match(denied.message, new RegExp(`items.*Grant user '${role}'`));
        // The suite's own server may trust loopback; then nobody is refused.
        const wrong = await runTask(postgresToS3, {
          params: { source_table: 'items', s3_bucket: bucket.name },
          output: `s3://${bucket.name}/${prefix()}`,
          ...as(role, 'not-that'),
          environment: as(role, 'not-that').environment ?? {},
        }).catch((error: unknown) => error);
        assert.ok(wrong instanceof ApplicationFailure);
        assert.equal(wrong.type, 'AccessDenied');
        assert.doesNotMatch(wrong.message, /not-that/);
      } finally {
        await source.rows(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      }
    });

    it('a server that is not there', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address() as AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      const environment = {
        SLUICE_CONN_POSTGRES_DEFAULT: `postgresql://me:hidden@127.0.0.1:${port}/db`,
        SLUICE_CONN_AWS_DEFAULT: bucket.url,
      };
      const database = await failure(extract({ source_table: 'items' }, prefix(), { environment }));
      assert.deepEqual([database.type, database.nonRetryable], ['PostgresUnavailable', false]);
      assert.match(database.message, new RegExp(`127.0.0.1:${port}/db.*postgres_default`));
      assert.doesNotMatch(database.message, /hidden/);
      const storage = await failure(
        extract({ source_table: 'items' }, prefix(), {
          environment: {
            SLUICE_CONN_POSTGRES_DEFAULT: source.url,
            SLUICE_CONN_AWS_DEFAULT: `aws://key:hidden@/?endpoint_url=${encodeURIComponent(`http://127.0.0.1:${port}`)}`,
          },
        }),
      );
      assert.deepEqual([storage.type, storage.nonRetryable], ['S3Unavailable', false]);
      assert.match(storage.message, new RegExp(`127.0.0.1:${port}.*aws_default`));
    });

    it('a bucket that is not there, and keys that are wrong', async () => {
      const missing = await failure(
        extract({ source_table: 'items', s3_bucket: 'no-such-bucket' }, prefix(), { output: 's3://no-such-bucket/a/b/c/' }),
      );
      assert.deepEqual([missing.type, missing.nonRetryable], ['BucketNotFound', true]);
      assert.match(missing.message, /'no-such-bucket'.*aws_default.*aws s3 mb s3:\/\/no-such-bucket/);
      const { endpoint_url: endpoint = '' } = bucket.connection;
      const wrong = await failure(
        extract({ source_table: 'items' }, prefix(), {
          environment: {
            SLUICE_CONN_POSTGRES_DEFAULT: source.url,
            SLUICE_CONN_AWS_DEFAULT: `aws://nobody:secret@/?endpoint_url=${encodeURIComponent(endpoint)}`,
          },
        }),
      );
      assert.deepEqual([wrong.type, wrong.nonRetryable], ['AccessDenied', true]);
    });
  });
});
