import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { reconcile } from '../../../activities/reconcile.ts';
import type { Reconciliation } from '../../../activities/reconcile/reconcile.ts';
import { s3ToRedshift } from '../../../activities/s3-to-redshift.ts';
import { openDuckDB } from '../../../lib/databases/duckdb.ts';
import type { Column, DatasetManifest } from '../../../workflows/plan/datasets/dataset.ts';
import { createBucket, type TestBucket } from '../../support/buckets.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { failureOf } from '../../support/failure-of.ts';
import { runTask } from '../../support/run-task.ts';
import { putDataset } from '../../support/s3-dataset.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('a manifest that a stranger has written', function () {
  this.timeout('1m');
  let database: TestDatabase;
  let bucket: TestBucket;
  let folder: string;
  let environment: Record<string, string>;

  before(async function () {
    this.timeout('20m');
    [database, bucket, folder] = await Promise.all([createDatabase(), createBucket(), mkdtemp(join(tmpdir(), 'sluice-attack-'))]);
    environment = {
      SLUICE_CONN_LAKE: bucket.url,
      SLUICE_CONN_AWS_DEFAULT: bucket.url,
      SLUICE_CONN_WAREHOUSE: database.url,
      SLUICE_CONN_REDSHIFT_DEFAULT: database.url,
    };
    await database.rows('CREATE TABLE known (id bigint, v text); INSERT INTO known VALUES (1, NULL)');
  });
  after(async () => {
    await Promise.all([database.drop(), bucket.drop(), rm(folder, { recursive: true, force: true })]);
  });

  let count = 0;
  const put = (schema: readonly Column[], values: readonly (string | null)[] = ['1', null]): Promise<string> => {
    const uri = `s3://${bucket.name}/manifest-${count++}/`;
    return putDataset(bucket.client, uri, schema, [values]).then(() => uri);
  };
  const compare = (dataset: string, where?: string): Promise<Reconciliation> =>
    runTask<Reconciliation>(reconcile, {
      params: {
        source: { conn_id: 'lake', dataset, ...(where !== undefined && { where }) },
        target: { conn_id: 'warehouse', table: 'known' },
        key: ['id'],
        on_mismatch: 'warn',
      },
      environment,
    });
  const load = (uri: string, table = 'known'): Promise<unknown> =>
    runTask(s3ToRedshift, {
      params: { s3_bucket: bucket.name, s3_key: new URL(uri).pathname.slice(1), redshift_table: table },
      environment,
    });

  it('writes no file, reads none and is not SQL by a type', async () => {
    const file = join(folder, 'written');
    const types = [
      `numeric(10,2)); COPY (SELECT 1) TO '${file}`,
      `numeric(10,2)); COPY (SELECT 1) TO '${file}'; CREATE TABLE other (a DECIMAL(3,2)`,
      `numeric(10,2) DEFAULT (SELECT count(*) FROM read_text('/etc/hostname')))`,
      `decimal(10,2)[(SELECT 1)]`,
      `numeric(${'9'.repeat(400)})`,
      'text); DROP TABLE known; --',
      "text DEFAULT 'x'",
      'text\ntext',
      'text--',
      'text/*',
      'a.b.c.d',
      '"unclosed',
      '',
      'a\0b',
    ];
    for (const type of types) {
      const uri = await put([
        { name: 'id', type: 'bigint' },
        { name: 'v', type },
      ]);
      for (const task of [() => compare(uri), () => load(uri), () => load(uri, 'missing')]) {
        const error = await failureOf(task());
        assert.deepEqual([error.type, error.nonRetryable], ['DatasetNotFound', true], type);
        assert.match(error.message, /is not a manifest that Sluice has written \(schema\.1\.type /);
      }
    }
    assert.deepEqual(await readdir(folder), []);
    assert.deepEqual(await database.rows('SELECT * FROM known'), [{ id: '1', v: null }]);
  });

  it('names columns as it likes, and they are names', async () => {
    for (const name of [`v"); COPY (SELECT 1) TO '${join(folder, 'named')}'; --`, "v'); --", 'v\\', 'v" INTEGER, "w', 'a\nb', '--', '$$']) {
      const uri = await put([
        { name: 'id', type: 'bigint' },
        { name, type: 'text' },
      ]);
      assert.equal((await compare(uri)).differing, 0, name);
      const { message } = await failureOf(load(uri));
      assert.match(message, /public\.known has no column/);
    }
    assert.deepEqual(await readdir(folder), []);
  });

  it('has every type that PostgreSQL has', async () => {
    await database.rows(
      `CREATE SCHEMA "My ""schema"; CREATE TYPE "My ""schema"."odd -- type" AS ENUM ('a'); CREATE TYPE öäü AS ENUM ('a')`,
    );
    await database.rows(`CREATE TABLE modified (a numeric(10,2), b timestamptz(3), c interval day to second(3), d time(2), e char(9), f varchar(40),
      g bit(5), h varbit(9), i numeric(10,2)[], j numeric(5,-2), k interval year to month, l "My ""schema"."odd -- type"[])`);
    const rows = await database.rows<{ type: string }>(
      `SELECT format_type(oid, NULL) AS type FROM pg_type WHERE typtype IN ('b', 'e', 'd', 'r', 'm')
       UNION ALL SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'modified'::regclass AND attnum > 0`,
    );
    assert.ok(rows.length > 100);
    const schema = [{ name: 'id', type: 'bigint' }, ...rows.map(({ type }, index) => ({ name: `c${index}`, type }))];
    const uri = await put(schema, ['1', ...rows.map(() => null)]);
    assert.equal((await compare(uri)).differing, 0);
    const { message } = await failureOf(load(uri, 'missing'));
    assert.match(message, /To create it: CREATE TABLE "public"\."missing" \("id" bigint, /);
  });

  it('names no files but those of its folder', async () => {
    const secret = await put([{ name: 'id', type: 'bigint' }], ['77']);
    const foreign = await put([{ name: 'id', type: 'bigint' }], ['1']);
    const key = new URL(`${foreign}manifest.json`).pathname.slice(1);
    const manifest = JSON.parse(await bucket.text(key)) as DatasetManifest;
    const bucketName = bucket.name;
    for (const url of [
      `${secret}part-00000.csv.gz`,
      's3://another-bucket/part-00000.csv.gz',
      `${foreign}../${new URL(secret).pathname.slice(1)}part-00000.csv.gz`,
      `s3://${bucketName}/run-1/../secret/part-00000.csv.gz`,
      `${foreign.slice(0, -1)}-other/part-00000.csv.gz`,
    ]) {
      const entries = manifest.entries.map((entry) => ({ ...entry, url }));
      await bucket.client.send(new PutObjectCommand({ Bucket: bucketName, Key: key, Body: JSON.stringify({ ...manifest, entries }) }));
      for (const task of [() => compare(foreign), () => load(foreign)]) {
        const error = await failureOf(task());
        assert.deepEqual([error.type, error.nonRetryable], ['DatasetNotFound', true]);
        assert.match(error.message, /outside of its folder|is not a manifest that Sluice has written/);
      }
    }
  });

  it('is compared in a DuckDB that reads and writes nothing else, from its first statement', async () => {
    const uri = await put([
      { name: 'id', type: 'bigint' },
      { name: 'v', type: 'text' },
    ]);
    const file = join(folder, 'where');
    for (const where of [
      `id IN (SELECT count(*) FROM read_text('/etc/hostname'))`,
      `id IN (SELECT count(*) FROM glob('/*'))`,
      `id = 1) ; COPY (SELECT 1) TO '${file}`,
      `getenv('PATH') = ''`,
    ]) {
      const { type } = await failureOf(compare(uri, where));
      assert.equal(type, 'QueryFailed', where);
    }
    const own = await temporaryFolder();
    const duckdb = await openDuckDB(own.path, join(own.path, 'file'), new AbortController().signal);
    try {
      for (const sql of [
        `COPY (SELECT 1) TO '${file}'`,
        `SELECT * FROM read_text('/etc/hostname')`,
        `ATTACH '${file}'`,
        'INSTALL httpfs',
        'LOAD httpfs',
        'SET enable_external_access = true',
        "SET allowed_directories = ['/']",
        'SET lock_configuration = false',
      ]) {
        await assert.rejects(duckdb.texts(sql), sql);
      }
    } finally {
      await duckdb.close();
      await own.remove();
    }
    assert.deepEqual(await readdir(folder), []);
  });
});
