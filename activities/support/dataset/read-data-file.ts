import { createHash } from 'node:crypto';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { getObject, parseS3Uri } from '../../../lib/s3.ts';
import type { DatasetManifest, RowFormat } from '../../../workflows/plan/datasets/dataset.ts';
import { userFault } from '../../run/errors.ts';
import { RowScanner } from './row-scanner.ts';
import type { Storage } from './storage.ts';
import { storageFailure } from './storage-failure.ts';

/** Measurements of the stored bytes of a data file. */
export interface DataFileReading {
  readonly bytes: number;
  readonly rows: number;
  /** Lower-case hexadecimal, of the stored bytes. */
  readonly sha256: string;
}

export interface DataFileToRead {
  readonly storage: Storage;
  /** `s3://bucket/key`. */
  readonly url: string;
  readonly format: RowFormat;
  readonly compression: DatasetManifest['compression'];
  readonly signal: AbortSignal;
}

/**
 * Streams a data file, decompressed, into `sink` (if given) and measures it on the way. Memory does not grow with the file. The sink's
 * errors are passed on unchanged.
 */
export async function readDataFile(
  { storage, url, format, compression, signal }: DataFileToRead,
  sink?: Writable,
): Promise<DataFileReading> {
  const location = parseS3Uri(url);
  const hash = createHash('sha256');
  const rows = new RowScanner(format);
  let bytes = 0;
  const stored = async function* () {
    try {
      for await (const chunk of (await getObject(storage.client, location, signal)) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        bytes += chunk.length;
        yield chunk;
      }
    } catch (error) {
      // Only S3 calls are wrapped: later failures are not S3's fault.
      throw storageFailure(error, storage, location.bucket, `read ${url}`);
    }
  };
  const counted = async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      rows.scan(chunk);
      yield chunk;
    }
  };
  const nowhere = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) rows.scan(chunk);
  };
  const plain = compression === 'gzip' ? [createGunzip({ chunkSize: 128 * 1024 })] : [];
  const end = sink === undefined ? [nowhere] : [counted, sink];
  try {
    // The types of `pipeline` do not support lists with a length known only at run time.
    await (pipeline as (...steps: readonly unknown[]) => Promise<void>)(stored, ...plain, ...end, { signal });
  } catch (error) {
    if (!isZlibError(error)) throw error;
    throw userFault('DataDoesNotFit', `${url} is not gzip, or is cut short: ${error.message}. Let the task before write it again.`, error);
  }
  return { bytes, rows: rows.rows, sha256: hash.digest('hex') };
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && /^Z_/.test(String((error as { code?: unknown }).code));
}
