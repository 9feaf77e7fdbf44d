import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getObject, listObjects, parseS3Uri } from '../../lib/s3.ts';
import { type Column, type DatasetManifest, type DatasetReference, MANIFEST_NAME } from '../../workflows/plan/datasets/dataset.ts';

/** A row of CSV in PostgreSQL's format: NULL is an empty field. */
export type CsvRow = readonly (string | null)[];

/** Creates a bucket with a unique name. */
export async function createBucket(client: S3Client): Promise<string> {
  const bucket = `test-${process.pid}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return bucket;
}

/** Publishes rows as a dataset, without the code under test. */
export async function putDataset(
  client: S3Client,
  uri: string,
  schema: readonly Column[],
  rows: readonly CsvRow[],
): Promise<DatasetReference> {
  const body = gzipSync(rows.map((row) => `${row.map(csvField).join(',')}\n`).join(''));
  return putDatasetFile(client, uri, { name: 'part-00000.csv.gz', body, rows: rows.length }, 'csv', schema);
}

/** Publishes an existing file as a dataset: gzipped CSV, or Parquet. */
export async function putDatasetFile(
  client: S3Client,
  uri: string,
  { name, body, rows }: { readonly name: string; readonly body: Buffer; readonly rows: number },
  format: 'csv' | 'parquet',
  schema: readonly Column[],
): Promise<DatasetReference> {
  const { bucket, key } = parseS3Uri(uri);
  const manifest: DatasetManifest = {
    version: 1,
    format,
    compression: format === 'csv' ? 'gzip' : 'none',
    schema,
    rows,
    bytes: body.length,
    entries: [
      {
        url: uri + name,
        mandatory: true,
        meta: { content_length: body.length },
        rows,
        sha256: createHash('sha256').update(body).digest('hex'),
      },
    ],
  };
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: key + name, Body: body }));
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: key + MANIFEST_NAME, Body: JSON.stringify(manifest) }));
  return { uri, manifest: uri + MANIFEST_NAME, format, rows, bytes: body.length, schema };
}

function csvField(value: string | null): string {
  if (value === null) return '';
  return value === '' || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** Reads all rows of a dataset by its manifest. */
export async function readDataset(client: S3Client, uri: string): Promise<(string | null)[][]> {
  const manifest = JSON.parse((await getText(client, uri + MANIFEST_NAME)).toString()) as DatasetManifest;
  return readFiles(
    client,
    manifest.entries.map(({ url }) => url),
  );
}

/** Reads all rows of gzipped CSV files. */
export async function readFiles(client: S3Client, urls: readonly string[]): Promise<(string | null)[][]> {
  const files = await Promise.all(urls.map(async (url) => gunzipSync(await getText(client, url)).toString('utf8')));
  return files.flatMap(parseCsv);
}

/** The names of all objects under `uri`, sorted. */
export async function objectNames(client: S3Client, uri: string): Promise<string[]> {
  const location = parseS3Uri(uri);
  return (await listObjects(client, location, AbortSignal.timeout(10_000))).map(({ key }) => key.slice(location.key.length)).sort();
}

/** Parses PostgreSQL's CSV character by character, independently of Spark's reader. */
export function parseCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  for (let at = 0; at < text.length;) {
    let field: string | null;
    if (text[at] === '"') {
      field = '';
      for (at += 1; at < text.length; at += 1) {
        if (text[at] === '"' && text[++at] !== '"') break;
        field += text[at];
      }
    } else {
      const end = /[,\n]|$/g;
      end.lastIndex = at;
      const stop = end.exec(text)?.index ?? text.length;
      field = text.slice(at, stop) || null;
      at = stop;
    }
    row.push(field);
    if (text[at] === ',') {
      at += 1;
      if (at === text.length || text[at] === '\n') row.push(null);
      else continue;
    }
    if (at < text.length && text[at] !== '\n') throw new Error(`not CSV at ${at}: ${JSON.stringify(text.slice(at - 20, at + 20))}`);
    at += 1;
    rows.push(row);
    row = [];
  }
  return rows;
}

async function getText(client: S3Client, uri: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await getObject(client, parseS3Uri(uri), AbortSignal.timeout(60_000))) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
