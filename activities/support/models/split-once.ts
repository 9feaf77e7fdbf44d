import { createHash } from 'node:crypto';
import { exactJsonText } from '../../../workflows/plan/values/exact-json.ts';
import { placeOf } from '../../spark/job-result.ts';
import type { StoredManifest } from '../dataset/read-manifest.ts';
import type { Storage } from '../dataset/storage.ts';
import { RegistryFiles } from './registry-files.ts';
import { type Split, type SplitData, splitData } from './split-data.ts';

/**
 * Like `splitData`, but once for all attempts of a task: the job of an earlier attempt may still read its parts, and concurrent attempts
 * must train on the same rows. `split-….json` in the folder of the version names the parts of this data.
 * @param place the folder of the version, `s3://bucket/prefix/`, and the attempt, which writes its parts to `data/` or `data-2/` there
 */
export async function splitOnce(
  storage: Storage,
  manifest: StoredManifest,
  split: Split,
  { folder, attempt }: { readonly folder: string; readonly attempt: number },
  signal: AbortSignal,
): Promise<SplitData> {
  // A run that was reset may split other data.
  const of = createHash('sha256')
    .update(exactJsonText([manifest.checksum, split.by, split.test]))
    .digest('hex');
  const files = new RegistryFiles(storage, signal);
  const record = `${folder}split-${of.slice(0, 12)}.json`;
  const earlier = await files.read<SplitData>(record);
  if (earlier) return earlier;
  const made = await splitData(storage, manifest, split, placeOf(`${folder}data`, attempt), signal);
  if (await files.write(record, made, undefined)) return made;
  return (await files.read<SplitData>(record)) ?? made;
}
