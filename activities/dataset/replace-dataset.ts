import { createHash } from 'node:crypto';
import { deleteObjects, parseS3Uri } from '../../lib/s3.ts';
import { type DatasetReference, MANIFEST_NAME } from '../../workflows/plan/dataset.ts';
import { readManifest } from './read-manifest.ts';
import type { Storage } from './storage.ts';
import { askStorage } from './storage-failure.ts';
import { type DatasetDescription, writeManifest } from './write-manifest.ts';

/**
 * What the files of a task in a run have in their names. Two runs may work on one interval at once, a rerun beside the scheduled one:
 * each writes files of its own, and the manifest that is written last decides which of them are the data set.
 */
export function ownMark(idempotencyKey: string): string {
  return createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 12);
}

/**
 * Takes back what an earlier attempt of this task in this run has published, before its files are written again. Another run's data set
 * stays whole until it is replaced.
 */
export async function withdrawOwn(storage: Storage, uri: string, isOwn: (key: string) => boolean, signal: AbortSignal): Promise<void> {
  const published = await publishedKeys(storage, uri, signal);
  if (published.some(isOwn)) await deleteKeys(storage, uri, [parseS3Uri(uri).key + MANIFEST_NAME], signal);
}

/**
 * Writes the manifest of `uri`, and deletes the files of the data set that it replaces. Whoever was reading those finds them gone
 * (`DatasetChanged`), tries again and finds the new ones.
 */
export async function replaceDataset(
  storage: Storage,
  uri: string,
  description: DatasetDescription,
  signal: AbortSignal,
): Promise<DatasetReference> {
  const replaced = await publishedKeys(storage, uri, signal);
  const reference = await writeManifest(storage, uri, description, signal);
  const kept = new Set(description.files.map(({ url }) => parseS3Uri(url).key));
  await deleteKeys(
    storage,
    uri,
    replaced.filter((key) => !kept.has(key)),
    signal,
  );
  return reference;
}

/** The keys under `uri` that its manifest names; none when there is no manifest, or it is not Sluice's. */
async function publishedKeys(storage: Storage, uri: string, signal: AbortSignal): Promise<string[]> {
  const { bucket, key: prefix } = parseS3Uri(uri);
  try {
    const { entries } = await readManifest(storage, uri + MANIFEST_NAME, signal);
    return entries
      .map(({ url }) => parseS3Uri(url))
      .filter((location) => location.bucket === bucket && location.key.startsWith(prefix))
      .map(({ key }) => key);
  } catch (error) {
    if ((error as { type?: unknown }).type === 'DatasetNotFound') return [];
    throw error;
  }
}

async function deleteKeys(storage: Storage, uri: string, keys: readonly string[], signal: AbortSignal): Promise<void> {
  if (keys.length === 0) return;
  const { bucket } = parseS3Uri(uri);
  await askStorage(storage, bucket, `clear ${uri}`, () => deleteObjects(storage.client, bucket, keys, signal));
}
