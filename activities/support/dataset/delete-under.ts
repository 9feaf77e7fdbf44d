import { abortUploads, deleteObjects, formatS3Uri, listObjects, type S3Location } from '../../../lib/s3.ts';
import type { Storage } from './storage.ts';
import { askStorage } from './storage-failure.ts';

/** Deletes the objects under a prefix but those that are to be kept. */
export async function deleteUnder(
  storage: Storage,
  prefix: S3Location,
  keep: (key: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  await askStorage(storage, prefix.bucket, `clear ${formatS3Uri(prefix)}`, async () => {
    const keys = (await listObjects(storage.client, prefix, signal)).map(({ key }) => key).filter((key) => !keep(key));
    // Longest first: a server that keeps objects as files cannot delete a folder before what it holds.
    keys.sort((a, b) => b.length - a.length);
    await deleteObjects(storage.client, prefix.bucket, keys, signal);
  });
}

/** Deletes everything under a prefix, what was begun and never completed included. */
export async function deleteAllUnder(storage: Storage, prefix: S3Location, signal: AbortSignal): Promise<void> {
  await deleteUnder(storage, prefix, () => false, signal);
  await askStorage(storage, prefix.bucket, `clear ${formatS3Uri(prefix)}`, () => abortUploads(storage.client, prefix, () => true, signal));
}
