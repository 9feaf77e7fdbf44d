import Type from 'typebox';
import { getObject, parseS3Uri } from '../../lib/s3.ts';
import { DATASET_FORMATS, type DatasetManifest } from '../../workflows/plan/dataset.ts';
import { userFault } from '../errors.ts';
import { schemaErrors } from '../schema-errors.ts';
import type { Storage } from './storage.ts';
import { storageFailure } from './storage-failure.ts';

const Count = Type.Integer({ minimum: 0 });
const Manifest = Type.Object({
  version: Type.Literal(1),
  format: Type.Union(DATASET_FORMATS.map((format) => Type.Literal(format))),
  compression: Type.Union([Type.Literal('gzip'), Type.Literal('none')]),
  schema: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
  rows: Count,
  bytes: Count,
  entries: Type.Array(
    Type.Object({
      url: Type.String({ pattern: '^s3://[^/]+/.+' }),
      mandatory: Type.Literal(true),
      meta: Type.Object({ content_length: Count }),
      rows: Count,
      sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    }),
  ),
});

/** A manifest names files; one that is larger than this is some other file. */
const LARGEST = 64 * 1024 * 1024;

/**
 * Reads `s3://bucket/prefix/manifest.json`, which says that the data set is whole and what it holds.
 * @throws ApplicationFailure DatasetNotFound when there is none, or it is not Sluice's
 */
export async function readManifest(storage: Storage, uri: string, signal: AbortSignal): Promise<DatasetManifest> {
  const location = parseS3Uri(uri);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of (await getObject(storage.client, location, signal)) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST) break;
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchKey') {
      throw userFault(
        'DatasetNotFound',
        `There is no data set at ${uri} (connection '${storage.connection}'). The manifest is written last: the task that makes the data has not finished, or it writes elsewhere.`,
      );
    }
    throw storageFailure(error, storage, location.bucket, `read ${uri}`);
  }
  const manifest = size > LARGEST ? undefined : parse(Buffer.concat(chunks).toString('utf8'));
  const [error] = schemaErrors(Manifest, manifest);
  if (error) {
    const where = manifest === undefined ? '' : ` (${error.path || 'the whole'} ${error.message})`;
    throw userFault('DatasetNotFound', `${uri} is not a manifest that Sluice has written${where}. Name the prefix of a data set.`);
  }
  return manifest as DatasetManifest;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
