import { createHash, type Hash } from 'node:crypto';
import { PassThrough, pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { getObject, parseS3Uri, type S3Location } from '../../lib/s3.ts';
import type { DatasetReference } from '../../workflows/plan/datasets/dataset.ts';
import { platformFault, userFault } from '../run/errors.ts';
import { readDataFile } from '../support/dataset/read-data-file.ts';
import { readInput } from '../support/dataset/read-manifest.ts';
import type { Storage } from '../support/dataset/storage.ts';
import { storageFailure } from '../support/dataset/storage-failure.ts';
import { tableFormat } from '../support/dataset/table-format.ts';
import { FileBroken } from './formats/source-record.ts';
import type { Params, ReadFormat } from './parameters.ts';

/** A text to read, with its format. */
export interface TransformSource {
  /** For messages: `s3://bucket/key`. */
  readonly name: string;
  readonly read: ReadFormat;
  text(signal: AbortSignal): AsyncIterable<string>;
}

/** The sources of a task, to read one after another. @throws ApplicationFailure */
export async function openSources(
  { input, signal }: { readonly input: DatasetReference | undefined; readonly signal: AbortSignal },
  { s3_bucket: bucket = '', s3_key: key, text, read }: Params,
  storage: Storage,
): Promise<readonly TransformSource[]> {
  if (text !== undefined && read) return [{ name: 'the text', read, text: () => Readable.from([text]) as AsyncIterable<string> }];
  if (key !== undefined && read) return [fileSource(storage, { bucket, key }, read)];
  if (!input)
    throw userFault('InvalidParameters', 'There is nothing to read: give s3_key, text, or an upstream task that writes a dataset.');
  return datasetSources(storage, input, read, signal);
}

/** @param sha256 of the stored bytes, if a manifest names it */
function fileSource(storage: Storage, location: S3Location, read: ReadFormat, sha256?: string): TransformSource {
  const name = `s3://${location.bucket}/${location.key}`;
  return {
    name,
    read,
    async *text(signal) {
      let stored: AsyncIterable<Buffer>;
      try {
        stored = (await getObject(storage.client, location, signal)) as AsyncIterable<Buffer>;
      } catch (error) {
        if (error instanceof Error && error.name === 'NoSuchKey')
          throw userFault('DatasetNotFound', `There is no file ${name} (connection '${storage.connection}').`, error);
        throw storageFailure(error, storage, location.bucket, `read ${name}`);
      }
      const hash = createHash('sha256');
      const bytes = hashed(stored, hash);
      yield* decoded(location.key.endsWith('.gz') ? decompressed(bytes) : bytes, read.encoding ?? 'utf-8');
      if (sha256 !== undefined && hash.digest('hex') !== sha256) throw changed(name);
    },
  };
}

async function datasetSources(
  storage: Storage,
  input: DatasetReference,
  given: ReadFormat | undefined,
  signal: AbortSignal,
): Promise<TransformSource[]> {
  const { content } = await readInput(storage, input, signal);
  if (content.format === 'files') {
    if (!given) throw userFault('InvalidParameters', 'The task before hands over files, whose format is unknown: add `read: {format: …}`.');
    return content.entries.map((entry) => fileSource(storage, parseS3Uri(entry.url), given, entry.sha256));
  }
  if (given)
    throw userFault(
      'InvalidParameters',
      '`read` describes files, and the task before hands over a dataset, which describes itself: remove it.',
    );
  const format = tableFormat(content);
  if (format === 'parquet')
    throw userFault('InvalidParameters', 'transform does not read parquet: let the task before write csv or jsonl.');
  const { compression } = content;
  if (format === 'csv' && content.schema.length === 0)
    throw userFault('DataDoesNotFit', 'The data of the task before is CSV without names of columns: let that task write jsonl.');
  const columns = content.schema.map(({ name }) => name);
  const read: ReadFormat = format === 'csv' ? { format, columns } : { format };
  return content.entries.map((entry) => ({
    name: entry.url,
    read,
    async *text(own) {
      const sink = new PassThrough({ highWaterMark: 256 * 1024 });
      const reading = readDataFile({ storage, url: entry.url, format, compression, signal: own }, sink);
      // A failure also ends the sink, where it is thrown first.
      reading.catch((error: unknown) => sink.destroy(error as Error));
      yield* decoded(sink as AsyncIterable<Buffer>, 'utf-8');
      const { sha256, rows } = await reading;
      if (sha256 !== entry.sha256) throw changed(entry.url);
      if (rows !== entry.rows)
        throw userFault(
          'DataDoesNotFit',
          `${entry.url} has ${rows} rows, and its manifest says ${entry.rows}: its first row may be a header, which is for readers outside Sluice. Remove \`header\` from \`write\` of the task before.`,
        );
    },
  }));
}

async function* hashed(bytes: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}

/** Fails with the error of `stored`, and ends it when its reader stops. */
function decompressed(stored: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  // Unlike `pipe`, `pipeline` passes errors on; they are thrown to the reader.
  return pipeline(Readable.from(stored), createGunzip(), () => {}) as AsyncIterable<Buffer>;
}

function changed(url: string): Error {
  return platformFault('DatasetChanged', `${url} differs from its manifest: it was written again meanwhile, or is damaged.`);
}

/** @throws FileBroken for bytes that are not of the encoding */
async function* decoded(bytes: AsyncIterable<Buffer>, encoding: 'utf-8' | 'windows-1252'): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const decode = (chunk?: Buffer): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new FileBroken(`it is not text in ${encoding}. Set \`encoding\` in \`read\``);
    }
  };
  try {
    for await (const chunk of bytes) yield decode(chunk);
  } catch (error) {
    if (/^Z_/.test(String((error as { code?: unknown }).code)))
      throw new FileBroken(`it is not gzip, or is cut short: ${(error as Error).message}`);
    throw error;
  }
  yield decode();
}
