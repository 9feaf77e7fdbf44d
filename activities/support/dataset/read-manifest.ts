import { createHash } from 'node:crypto';
import Type from 'typebox';
import { getObject, parseS3Uri } from '../../../lib/s3.ts';
import { DATASET_FORMATS, type DatasetManifest, type DatasetReference } from '../../../workflows/plan/datasets/dataset.ts';
import { platformFault, userFault } from '../../run/errors.ts';
import { schemaErrors } from '../../run/schema-errors.ts';
import type { Storage } from './storage.ts';
import { storageFailure } from './storage-failure.ts';

const Count = Type.Integer({ minimum: 0 });
/** Types as PostgreSQL's format_type() writes them: `timestamp(3) with time zone`, `"My schema".mood[]`. Admits no other SQL. */
const TYPE =
  '^(?:(?:[A-Za-z_\\u0080-\\uffff][\\w$\\u0080-\\uffff]*|"(?:[^"\\u0000]|"")+")(?:\\.(?!$)|(?=[ (\\[]|$))){1,2}' +
  '(?: [a-z]+)*(?:\\([\\w ,-]+\\))?(?: [a-z]+)*(?:\\[\\])*$';
const Manifest = Type.Object({
  version: Type.Literal(1),
  format: Type.Union(DATASET_FORMATS.map((format) => Type.Literal(format))),
  compression: Type.Union([Type.Literal('gzip'), Type.Literal('none')]),
  schema: Type.Array(
    Type.Object({ name: Type.String({ pattern: '^[^\\u0000]+$' }), type: Type.String({ pattern: TYPE, maxLength: 300 }) }),
  ),
  rows: Count,
  bytes: Count,
  entries: Type.Array(
    Type.Object({
      url: Type.String({ pattern: '^s3://[^/]+/(?!(?:.*/)?\\.\\.?(?:/|$)).+' }),
      mandatory: Type.Literal(true),
      meta: Type.Object({ content_length: Count }),
      rows: Count,
      sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    }),
  ),
  incremental: Type.Optional(Type.Object({ column: Type.String(), start: Type.String(), end: Type.String() })),
  source: Type.Optional(
    Type.Object({
      database: Type.String(),
      table: Type.Optional(Type.String()),
      query: Type.Optional(Type.String()),
      where: Type.Optional(Type.String()),
    }),
  ),
  exchanges: Type.Optional(Count),
  transform: Type.Optional(
    Type.Object({
      rows_read: Count,
      rows_left_out: Count,
      rows_rejected: Count,
      dead_letters: Type.Union([Type.Null(), Type.String({ pattern: '^s3://[^/]+/(?!(?:.*/)?\\.\\.?(?:/|$)).+' })]),
    }),
  ),
  writer: Type.Optional(
    Type.Object({
      pipeline_run_id: Type.String(),
      execution: Type.String(),
      dag_id: Type.String(),
      task: Type.String(),
      started_at: Type.String(),
      interval: Type.Object({ start: Type.String(), end: Type.String() }),
    }),
  ),
});

/** Maximum size of a manifest in bytes; a larger file is not a manifest. */
const LARGEST = 64 * 1024 * 1024;

/** A manifest with its place and checksum. */
export interface StoredManifest {
  /** `s3://bucket/prefix/manifest.json`. */
  readonly uri: string;
  readonly content: DatasetManifest;
  readonly text: string;
  /** Lower-case hexadecimal SHA-256 of the text. */
  readonly checksum: string;
}

/**
 * Reads `s3://bucket/prefix/manifest.json`, whose existence means that the dataset is complete.
 * @throws ApplicationFailure DatasetNotFound when there is none, or it is not Sluice's
 */
export async function readManifest(storage: Storage, uri: string, signal: AbortSignal): Promise<StoredManifest> {
  const found = await findManifest(storage, uri, signal);
  if (found) return found;
  throw userFault(
    'DatasetNotFound',
    `There is no dataset at ${uri} (connection '${storage.connection}'). The manifest is written last: the task that makes the data has not finished, or it writes elsewhere.`,
  );
}

/** Identifies a dataset that one task passes to another. */
export type HandedOver = Pick<DatasetReference, 'uri' | 'manifest' | 'rows' | 'checksum'>;

/**
 * Reads the manifest of exactly the dataset that the upstream task produced.
 * @throws ApplicationFailure DatasetChanged when another dataset is in its place; DatasetNotFound when it is gone
 */
export async function readInput(storage: Storage, input: HandedOver, signal: AbortSignal): Promise<StoredManifest> {
  const { manifest: uri } = input;
  const found = await findManifest(storage, uri, signal);
  if (!found) {
    throw userFault(
      'DatasetNotFound',
      `The data that was handed over is gone: ${uri} (connection '${storage.connection}'). Of runs of one interval the newest keep their data. Run the task that makes it again: \`sluice rerun RUN --from TASK\`.`,
    );
  }
  const { content, checksum } = found;
  // Runs of earlier releases shared a folder, and their references have no checksum: compare at least the writer and the number of rows.
  const isSame = input.checksum === undefined ? content.rows === input.rows && content.writer === undefined : checksum === input.checksum;
  if (isSame) return found;
  throw platformFault(
    'DatasetChanged',
    `The task before has handed over ${input.rows} rows${input.checksum === undefined ? '' : ` with checksum ${input.checksum.slice(0, 12)}…`}, and ${uri} now names ${content.rows} rows with checksum ${checksum.slice(0, 12)}…: another run has written there since. Nothing was read. Run the task that makes the data again.`,
  );
}

/** @returns undefined when there is none @throws ApplicationFailure DatasetNotFound when it is not Sluice's */
export async function findManifest(storage: Storage, uri: string, signal: AbortSignal): Promise<StoredManifest | undefined> {
  const location = parseS3Uri(uri);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of (await getObject(storage.client, location, signal)) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST) break;
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchKey') return undefined;
    throw storageFailure(error, storage, location.bucket, `read ${uri}`);
  }
  const text = size > LARGEST ? '' : Buffer.concat(chunks).toString('utf8');
  const read = readText(text);
  if ('content' in read) {
    refuseOthers(read.content, uri);
    return { uri, ...read, text, checksum: checksumOf(text) };
  }
  throw userFault('DatasetNotFound', `${uri} is not a manifest that Sluice has written${read.mistake}. Name the prefix of a dataset.`);
}

/**
 * Refuses files outside the manifest's own folder and the run folders beside it: someone who can write a manifest must not make the worker
 * read other files, which the worker may access and the author may not.
 * @throws ApplicationFailure DatasetNotFound
 */
function refuseOthers({ entries }: DatasetManifest, uri: string): void {
  const folder = uri.slice(0, uri.lastIndexOf('/') + 1);
  const runs = folder.replace(/[^/]+\/$/, 'run-');
  const other = entries.find(({ url }) => !url.startsWith(folder) && !url.startsWith(runs));
  if (other === undefined) return;
  throw userFault(
    'DatasetNotFound',
    `${uri} names ${other.url}, which lies outside of its folder: Sluice writes no such manifest. Nothing was read. Copy the files into the folder, and let a task publish them.`,
  );
}

/** @returns undefined when the text is not a manifest of Sluice */
export function parseManifest(text: string): DatasetManifest | undefined {
  const read = readText(text);
  return 'content' in read ? read.content : undefined;
}

/** Lower-case hexadecimal SHA-256. */
export function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function readText(text: string): { readonly content: DatasetManifest } | { readonly mistake: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { mistake: '' };
  }
  const [error] = schemaErrors(Manifest, value);
  return error ? { mistake: ` (${error.path || 'the whole'} ${error.message})` } : { content: value as DatasetManifest };
}
