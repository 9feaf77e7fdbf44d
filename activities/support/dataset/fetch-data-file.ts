import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { getObject, parseS3Uri } from '../../../lib/s3.ts';
import type { DatasetFile } from '../../../workflows/plan/datasets/dataset.ts';
import { platformFault } from '../../run/errors.ts';
import type { Storage } from './storage.ts';
import { storageFailure } from './storage-failure.ts';

/**
 * Downloads a data file, in its stored form, to a local file.
 * @throws ApplicationFailure `DatasetChanged` when it differs from the manifest
 */
export async function fetchDataFile(storage: Storage, { url, sha256 }: DatasetFile, file: string, signal: AbortSignal): Promise<void> {
  const location = parseS3Uri(url);
  const hash = createHash('sha256');
  const stored = async function* () {
    try {
      for await (const chunk of (await getObject(storage.client, location, signal)) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        yield chunk;
      }
    } catch (error) {
      // Only S3 calls are wrapped: a full disk is not S3's fault.
      throw storageFailure(error, storage, location.bucket, `read ${url}`);
    }
  };
  await pipeline(stored, createWriteStream(file), { signal });
  const found = hash.digest('hex');
  if (found === sha256) return;
  throw platformFault(
    'DatasetChanged',
    `${url} has checksum ${found.slice(0, 12)}…, and its manifest says ${sha256.slice(0, 12)}…: it was written again meanwhile, or is damaged.`,
  );
}
