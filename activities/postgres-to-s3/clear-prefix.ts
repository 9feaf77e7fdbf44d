import { abortUploads, deleteObjects, listObjects, type S3Location } from '../../lib/s3.ts';
import { MANIFEST_NAME } from '../../workflows/plan/dataset.ts';
import type { Storage } from '../dataset/storage.ts';
import { storageFailure } from '../dataset/storage-failure.ts';

/** The names that `postgres_to_s3` gives to files; in a prefix that an analyst chose, nothing else is ours to delete. */
const OWN_NAME = /^(part-\d{5,}\.(csv|jsonl)(\.gz)?|manifest\.json)$/;

/** A place that a task writes its data set to. */
export interface OutputPrefix {
  readonly storage: Storage;
  readonly prefix: S3Location;
  /** Whether the whole prefix belongs to this task, or an analyst named it and may keep other things there. */
  readonly exclusive: boolean;
}

/**
 * Makes the prefix ready to be written: first the old manifest goes, so that from here on nobody takes what lies there for a whole data
 * set, then what a killed attempt has left.
 */
export async function beginOutput({ storage, prefix, exclusive }: OutputPrefix, signal: AbortSignal): Promise<void> {
  await onStorage(storage, prefix, 'clear', async () => {
    await deleteObjects(storage.client, prefix.bucket, [prefix.key + MANIFEST_NAME], signal);
    await abortUploads(storage.client, prefix, isOwn(prefix, exclusive), signal);
  });
}

/** Deletes everything of an earlier attempt, or of this one, that is not in `keep`. */
export async function clearOutput(
  { storage, prefix, exclusive }: OutputPrefix,
  keep: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const own = isOwn(prefix, exclusive);
  await onStorage(storage, prefix, 'clear', async () => {
    await abortUploads(storage.client, prefix, own, signal);
    const objects = await listObjects(storage.client, prefix, signal);
    const surplus = objects.map(({ key }) => key).filter((key) => own(key) && !keep.has(key));
    if (surplus.length > 0) await deleteObjects(storage.client, prefix.bucket, surplus, signal);
  });
}

function isOwn(prefix: S3Location, exclusive: boolean): (key: string) => boolean {
  return (key) => exclusive || OWN_NAME.test(key.slice(prefix.key.length));
}

async function onStorage(storage: Storage, { bucket, key }: S3Location, verb: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw storageFailure(error, storage, bucket, `${verb} s3://${bucket}/${key}`);
  }
}
