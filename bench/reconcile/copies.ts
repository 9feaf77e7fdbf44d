import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { Upload } from '@aws-sdk/lib-storage';
import { connectionVariable } from '../../connections/parse.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import type { Environment } from '../../lib/environment.ts';
import { getObject, listObjects, openS3 } from '../../lib/s3.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import { compare, type Sample } from '../comparison.ts';
import type { Measure } from '../measure.ts';
import { peakMemory } from './peak-memory.ts';
import { runActivity } from './run-activity.ts';

const run = promisify(execFile);
const BUCKET = 'raw-data';
const PREFIX = 'bench/orders/';
const PAIRS = 5;

const EXTRACT: JsonObject = { source_table: 'orders', s3_bucket: BUCKET, s3_key: PREFIX, postgres_conn_id: 'bench_source' };
const LOAD: JsonObject = {
  s3_bucket: BUCKET,
  s3_key: PREFIX,
  redshift_table: 'loaded_orders',
  method: 'append',
  redshift_conn_id: 'bench_target',
};

/** The manual equivalents: `url`, `file`; `url`, `files …`. */
const EXTRACT_BY_HAND = 'psql "$1" -qc "COPY orders TO STDOUT (FORMAT csv)" | gzip -1 > "$2"';
const LOAD_BY_HAND = 'url="$1"; shift; gunzip -c "$@" | psql "$url" -qc "COPY loaded_orders FROM STDIN (FORMAT csv)"';

/**
 * Compares extract and load with `psql`, `gzip` and an upload, for the table `orders` of the connection `bench_source`.
 * @param environment with `bench_source`, `bench_target` and `aws_default`
 */
export async function benchCopies(environment: Environment, rows: number): Promise<Measure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const signal = new AbortController().signal;
  const s3 = openS3(connectionsFrom(environment).get('aws_default', ['aws']));
  const byHand = (script: string, connection: string, ...files: string[]): Promise<unknown> =>
    run('bash', ['-o', 'pipefail', '-c', script, 'by-hand', urlOf(environment, connection), ...files]);
  // Outside of the measurement, remove earlier data on both sides.
  const emptied = (): Promise<unknown> =>
    run('psql', [urlOf(environment, 'bench_target'), '-qc', 'TRUNCATE loaded_orders', '-c', 'DROP TABLE IF EXISTS sluice_loads']);
  try {
    const file = join(folder, 'orders.csv.gz');
    const extractByHand = (): Promise<Sample> =>
      timed(async () => {
        await byHand(EXTRACT_BY_HAND, 'bench_source', file);
        await new Upload({ client: s3, params: { Bucket: BUCKET, Key: 'bench/by-hand.csv.gz', Body: createReadStream(file) } }).done();
      });
    const what = `${rows.toLocaleString('en-US')} rows`;
    const extract = await compare(
      `postgres_to_s3, ${what}, beside psql COPY | gzip -1 and an upload`,
      { time: 1.1 },
      PAIRS,
      () => ours(environment, 'postgres_to_s3', EXTRACT, rows),
      extractByHand,
    );
    await run('psql', [urlOf(environment, 'bench_target'), '-qc', 'CREATE TABLE IF NOT EXISTS loaded_orders (LIKE orders)']);
    const parts: string[] = [];
    for (const { key } of await listObjects(s3, { bucket: BUCKET, key: PREFIX }, signal)) {
      if (!key.endsWith('.gz')) continue;
      parts.push(join(folder, `part-${parts.length}.csv.gz`));
      await pipeline(await getObject(s3, { bucket: BUCKET, key }, signal), createWriteStream(parts.at(-1) ?? ''));
    }
    const load = await compare(
      `s3_to_redshift (PostgreSQL), ${what}, beside gunzip | psql COPY`,
      { time: 1.15 },
      PAIRS,
      async () => {
        await emptied();
        return ours(environment, 's3_to_redshift', LOAD, rows);
      },
      async () => {
        await emptied();
        return timed(() => byHand(LOAD_BY_HAND, 'bench_target', ...parts));
      },
    );
    return [...extract, await peakMemory(environment, 'postgres_to_s3', EXTRACT), ...load];
  } finally {
    s3.destroy();
    await rm(folder, { recursive: true, force: true });
  }
}

async function ours(environment: Environment, type: string, params: JsonObject, rows: number): Promise<Sample> {
  let output: Json = null;
  const taken = await timed(async () => {
    output = await runActivity(environment, type, params);
  });
  const copied = (output as { rows?: number } | null)?.rows;
  if (copied !== rows) throw new Error(`${type} has copied ${copied} rows, and there are ${rows}.`);
  return taken;
}

async function timed(work: () => Promise<unknown>): Promise<Sample> {
  const begin = performance.now();
  await work();
  return { ms: performance.now() - begin };
}

function urlOf(environment: Environment, connection: string): string {
  return environment[connectionVariable(connection)] ?? '';
}
