import { formatS3Uri, listObjects, parseS3Uri, type S3Object } from '../../../lib/s3.ts';
import { MANIFEST_NAME } from '../../../workflows/plan/datasets/dataset.ts';
import type { RunLookup } from '../../run/run-lookup.ts';
import { deleteAllUnder } from './delete-under.ts';
import { findManifest } from './read-manifest.ts';
import type { Storage } from './storage.ts';
import { askStorage } from './storage-failure.ts';

/** How many runs of the same data keep their files: the newest ones. */
export const RUNS_KEPT = 3;

/** Files without a manifest belong to an attempt that may still be writing, unless nothing was added for this long. */
const UNFINISHED_MS = 7 * 86_400_000;

/**
 * Removes the folders of earlier runs that wrote the same data, except the newest ones. A folder that does not clearly belong to an ended
 * run stays.
 * @param prefix of the folder names: `s3://bucket/prefix/run-1f2e3d4c-`
 * @param own the folder that was just published: `s3://bucket/prefix/run-1f2e3d4c-…/`
 */
export async function removeSuperseded(
  storage: Storage,
  prefix: string,
  own: string,
  runs: Pick<RunLookup, 'isUnderWay'>,
  signal: AbortSignal,
): Promise<void> {
  const place = parseS3Uri(prefix);
  const objects = await askStorage(storage, place.bucket, `list ${prefix}`, () => listObjects(storage.client, place, signal));
  const folders = new Map<string, S3Object[]>();
  for (const object of objects) {
    const folder = object.key.slice(0, object.key.indexOf('/', place.key.length) + 1);
    const found = folders.get(folder);
    if (found) found.push(object);
    else folders.set(folder, [object]);
  }
  // The names contain the start time of the run.
  const superseded = [...folders.keys()].sort().slice(0, -RUNS_KEPT);
  for (const folder of superseded) {
    const location = { bucket: place.bucket, key: folder };
    const uri = formatS3Uri(location);
    if (uri === own) continue;
    const manifest = await findManifest(storage, uri + MANIFEST_NAME, signal);
    const writer = manifest?.content.writer;
    const hasEnded = writer
      ? !(await runs.isUnderWay(writer.pipeline_run_id))
      : Math.max(...(folders.get(folder) ?? []).map(({ modified }) => modified)) < Date.now() - UNFINISHED_MS;
    if (hasEnded) await deleteAllUnder(storage, location, signal);
  }
}
