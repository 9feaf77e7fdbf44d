import { deleteObjects, formatS3Uri, getText, parseS3Uri, putIfUnchanged } from '../../../lib/s3.ts';
import { platformFault } from '../../run/errors.ts';
import { parseManifest } from './read-manifest.ts';
import type { Storage } from './storage.ts';
import { askStorage } from './storage-failure.ts';

/** Two runs rarely publish at the same moment; so many in a row never do. */
const MAX_RACES = 20;

/**
 * Makes the manifest for readers outside Sluice a copy of a run's manifest, unless it already is a copy from a run that started later.
 * Uses compare-and-set: of concurrent runs, the newest wins.
 * @param text of the run's manifest
 */
export async function movePointer(storage: Storage, pointer: string, text: string, signal: AbortSignal): Promise<void> {
  const place = parseS3Uri(pointer);
  const own = parseManifest(text)?.writer?.started_at ?? '';
  const call = <T>(doing: string, ask: () => Promise<T>): Promise<T> => askStorage(storage, place.bucket, `${doing} ${pointer}`, ask);
  for (let race = 0; race < MAX_RACES; race++) {
    const found = await call('read', () => getText(storage.client, place, signal));
    if (found?.text === text) return;
    const replaced = found && parseManifest(found.text);
    if (replaced?.writer && replaced.writer.started_at > own) return;
    if (!(await call('write', () => putIfUnchanged(storage.client, place, text, found?.etag, signal)))) continue;
    // Earlier releases kept the files beside this manifest, and no other manifest names them.
    const folder = pointer.slice(0, pointer.lastIndexOf('/') + 1);
    const orphans = replaced && !replaced.writer ? replaced.entries.map(({ url }) => url).filter((url) => url.startsWith(folder)) : [];
    await call('clear', () =>
      deleteObjects(
        storage.client,
        place.bucket,
        orphans.map((url) => parseS3Uri(url).key),
        signal,
      ),
    );
    return;
  }
  throw platformFault('DatasetChanged', `Other runs write ${formatS3Uri(place)} all the time: this run could not.`);
}
