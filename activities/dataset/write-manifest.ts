import { PutObjectCommand } from '@aws-sdk/client-s3';
import { formatS3Uri, parseS3Uri } from '../../lib/s3.ts';
import { type DatasetFile, type DatasetManifest, type DatasetReference, MANIFEST_NAME } from '../../workflows/plan/dataset.ts';
import type { Storage } from './storage.ts';
import { askStorage } from './storage-failure.ts';

export type DatasetDescription = Pick<DatasetManifest, 'format' | 'compression' | 'schema'> & { readonly files: readonly DatasetFile[] };

/** Writes `manifest.json` under `uri`, which makes the data set readable. Call it last. */
export async function writeManifest(
  storage: Storage,
  uri: string,
  { files, ...kind }: DatasetDescription,
  signal: AbortSignal,
): Promise<DatasetReference> {
  const { bucket, key } = parseS3Uri(uri);
  const manifest: DatasetManifest = {
    version: 1,
    ...kind,
    rows: files.reduce((sum, file) => sum + file.rows, 0),
    bytes: files.reduce((sum, file) => sum + file.meta.content_length, 0),
    entries: files,
  };
  const location = { bucket, key: key + MANIFEST_NAME };
  await askStorage(storage, bucket, `write ${formatS3Uri(location)}`, () =>
    storage.client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: location.key,
        Body: JSON.stringify(manifest, undefined, 1),
        ContentType: 'application/json',
      }),
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
