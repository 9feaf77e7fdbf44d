import { createHash } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { formatS3Uri, getObject, getText, listObjects, parseS3Uri, type S3Location } from '../../../lib/s3.ts';
import type { Storage } from '../dataset/storage.ts';
import { askStorage } from '../dataset/storage-failure.ts';
import type { ModelFiles, ModelVersion } from './model-registry.ts';

/** One stored file of a model. */
interface ModelFile {
  /** Relative to the version's `uri`: `inner/model.json`. */
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** How many files a message names. */
const NAMED = 3;

/**
 * Measures the files under `uri` and writes the list beside them, as `files.json`, so that they can be verified later.
 * @param uri `s3://bucket/…/files/`
 * @returns what the registry records about them
 */
export async function recordFiles(storage: Storage, uri: string, signal: AbortSignal): Promise<ModelFiles> {
  const files = await measureFiles(storage, uri, signal);
  const text = format(files);
  const { bucket, key } = listLocation(uri);
  await askStorage(storage, bucket, `write ${formatS3Uri({ bucket, key })}`, () =>
    storage.client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: 'application/json' }), {
      abortSignal: signal,
    }),
  );
  return { count: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), sha256: digest(text) };
}

/**
 * Compares the files of a version with those that it was registered with. Versions of earlier releases have no list: for them it checks
 * only that files exist.
 * @returns the damage; undefined when the files are intact
 */
export async function findFileDamage(
  storage: Storage,
  { uri, files: recorded }: Pick<ModelVersion, 'uri' | 'files'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const files = await measureFiles(storage, uri, signal);
  if (files.length === 0) return `are gone: ${uri} is empty`;
  if (recorded === undefined || digest(format(files)) === recorded.sha256) return undefined;
  const differences = await compareWithList(storage, uri, recorded, files, signal);
  return `are not those that it was registered with: in ${uri}, ${differences}`;
}

async function compareWithList(
  storage: Storage,
  uri: string,
  recorded: ModelFiles,
  files: readonly ModelFile[],
  signal: AbortSignal,
): Promise<string> {
  const place = listLocation(uri);
  const list = await askStorage(storage, place.bucket, `read ${formatS3Uri(place)}`, () => getText(storage.client, place, signal));
  if (list === undefined || digest(list.text) !== recorded.sha256) {
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    return `there were ${recorded.count} files of ${recorded.bytes} bytes, and there are ${files.length} of ${bytes} bytes`;
  }
  const before = new Map((JSON.parse(list.text) as readonly ModelFile[]).map((file) => [file.path, file.sha256]));
  const now = new Map(files.map((file) => [file.path, file.sha256]));
  const missing = [...before.keys()].filter((path) => !now.has(path)).map((path) => `${path} is missing`);
  const changed = [...before].filter(([path, sha256]) => now.has(path) && now.get(path) !== sha256).map(([path]) => `${path} has changed`);
  const added = [...now.keys()].filter((path) => !before.has(path)).map((path) => `${path} was added`);
  const all = [...missing, ...changed, ...added];
  return `${all.slice(0, NAMED).join(', ')}${all.length > NAMED ? `, and ${all.length - NAMED} more files differ` : ''}`;
}

/** Streams every file once; memory does not grow with their size. */
async function measureFiles(storage: Storage, uri: string, signal: AbortSignal): Promise<ModelFile[]> {
  const prefix = parseS3Uri(uri);
  return askStorage(storage, prefix.bucket, `read ${uri}`, async () => {
    const files: ModelFile[] = [];
    for (const { key } of await listObjects(storage.client, prefix, signal)) {
      // Skip folder markers.
      if (key.endsWith('/')) continue;
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const chunk of (await getObject(storage.client, { bucket: prefix.bucket, key }, signal)) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        bytes += chunk.length;
      }
      files.push({ path: key.slice(prefix.key.length), bytes, sha256: hash.digest('hex') });
    }
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
  });
}

/** `…/versions/<version>/files.json`, beside the folder of the files. */
function listLocation(uri: string): S3Location {
  return parseS3Uri(`${uri.replace(/\/$/, '')}.json`);
}

function format(files: readonly ModelFile[]): string {
  return JSON.stringify(files, undefined, 1);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
