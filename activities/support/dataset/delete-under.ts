import { abortUploads, deleteObjects, formatS3Uri, listObjects, type S3Location } from '../../../lib/s3.ts';
import type { Storage } from './storage.ts';
import { askStorage } from './storage-failure.ts';

/** Deletes the objects under a prefix, except those to keep. */
export async function deleteUnder(
  storage: Storage,
  prefix: S3Location,
  keep: (key: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  await askStorage(storage, prefix.bucket, `clear ${formatS3Uri(prefix)}`, async () => {
    const keys = (await listObjects(storage.client, prefix, signal)).map(({ key }) => key).filter((key) => !keep(key));
    // Longest first: a server that stores objects as files cannot delete a folder before its contents.
    keys.sort((a, b) => b.length - a.length);
    await deleteObjects(storage.client, prefix.bucket, keys, signal);
  });
}

/** Deletes everything under a prefix, including unfinished uploads. */
export async function deleteAllUnder(storage: Storage, prefix: S3Location, signal: AbortSignal): Promise<void> {
  await deleteUnder(storage, prefix, () => false, signal);
  await abortAllUnder(storage, prefix, signal);
}

/** Aborts the uploads under a prefix that killed attempts left unfinished. */
export async function abortAllUnder(storage: Storage, prefix: S3Location, signal: AbortSignal): Promise<void> {
  await askStorage(storage, prefix.bucket, `clear ${formatS3Uri(prefix)}`, () => abortUploads(storage.client, prefix, () => true, signal));
}
