import { PutObjectCommand } from '@aws-sdk/client-s3';
import { formatS3Uri, parseS3Uri, putIfUnchanged } from '../../../lib/s3.ts';
import {
  type DatasetFile,
  type DatasetManifest,
  type DatasetReference,
  type DatasetWriter,
  MANIFEST_NAME,
} from '../../../workflows/plan/datasets/dataset.ts';
import { platformFault } from '../../run/errors.ts';
import { checksumOf, findManifest, type StoredManifest } from './read-manifest.ts';
import type { Storage } from './storage.ts';
import { askStorage } from './storage-failure.ts';

export type DatasetDescription = Pick<
  DatasetManifest,
  'format' | 'compression' | 'schema' | 'incremental' | 'source' | 'transform' | 'exchanges'
> & {
  readonly files: readonly DatasetFile[];
};

/**
 * Writes `manifest.json` under `uri`, which completes the dataset. It is never overwritten: if another attempt was faster, its manifest
 * stays.
 * @returns the manifest that is stored there
 */
export async function writeManifestOnce(
  storage: Storage,
  uri: string,
  description: DatasetDescription,
  writer: DatasetWriter,
  signal: AbortSignal,
): Promise<StoredManifest> {
  const { bucket, key } = parseS3Uri(uri);
  const location = { bucket, key: key + MANIFEST_NAME };
  const manifestUri = formatS3Uri(location);
  const content: DatasetManifest = { ...manifestOf(description), writer };
  const text = format(content);
  const written = await askStorage(storage, bucket, `write ${manifestUri}`, () =>
    putIfUnchanged(storage.client, location, text, undefined, signal),
  );
  if (written) return { uri: manifestUri, content, text, checksum: checksumOf(text) };
  const other = await findManifest(storage, manifestUri, signal);
  if (other) return other;
  throw platformFault('DatasetChanged', `Another attempt is writing ${manifestUri} at this moment.`);
}

/** Writes `manifest.json` under `uri` and overwrites an existing one: for runs of earlier releases, which share an interval's folder. */
export async function writeManifest(
  storage: Storage,
  uri: string,
  description: DatasetDescription,
  signal: AbortSignal,
): Promise<DatasetReference> {
  const { bucket, key } = parseS3Uri(uri);
  const manifest = manifestOf(description);
  const location = { bucket, key: key + MANIFEST_NAME };
  await askStorage(storage, bucket, `write ${formatS3Uri(location)}`, () =>
    storage.client.send(
      new PutObjectCommand({ Bucket: bucket, Key: location.key, Body: format(manifest), ContentType: 'application/json' }),
      { abortSignal: signal },
    ),
  );
  return {
    uri,
    manifest: formatS3Uri(location),
    format: manifest.format,
    rows: manifest.rows,
    bytes: manifest.bytes,
    schema: manifest.schema,
  };
}

function manifestOf({ files, ...kind }: DatasetDescription): DatasetManifest {
  return {
    version: 1,
    ...kind,
    rows: files.reduce((sum, file) => sum + file.rows, 0),
    bytes: files.reduce((sum, file) => sum + file.meta.content_length, 0),
    entries: files,
  };
}

function format(manifest: DatasetManifest): string {
  return JSON.stringify(manifest, undefined, 1);
}
