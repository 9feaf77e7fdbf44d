import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { formatS3Uri, type S3Location } from './s3-uri.ts';

export { formatS3Uri, parseS3Uri, type S3Location } from './s3-uri.ts';

export interface AwsConnection {
  readonly type: 'aws';
  /** Both absent: AWS's default chain (instance role, profile, environment). */
  readonly access_key_id?: string;
  readonly secret_access_key?: string;
  readonly region_name: string;
  /** Another S3 server than AWS; uses path-style addressing. */
  readonly endpoint_url?: string;
}

export interface S3Object {
  readonly key: string;
  readonly size: number;
  /** Milliseconds since 1970, in whole seconds. */
  readonly modified: number;
  readonly etag: string;
}

/** Creates a client for the S3 server of `connection`. The caller must call `destroy()`. */
export function openS3(connection: AwsConnection): S3Client {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey } = connection;
  return new S3Client({
    region: connection.region_name,
    // A host that drops packets must cause an error, not a hanging task: `socketTimeout` limits silence, not duration.
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000 },
    ...(accessKeyId && secretAccessKey && { credentials: { accessKeyId, secretAccessKey } }),
    ...(connection.endpoint_url && {
      endpoint: connection.endpoint_url,
      forcePathStyle: true,
      // Some S3-compatible servers do not support the checksums that the SDK adds by default.
      requestChecksumCalculation: 'WHEN_REQUIRED' as const,
      responseChecksumValidation: 'WHEN_REQUIRED' as const,
    }),
  });
}

/** The buckets that the connection may list. */
export async function bucketNames(client: S3Client): Promise<string[]> {
  const { Buckets } = await client.send(new ListBucketsCommand({}));
  return (Buckets ?? []).flatMap(({ Name }) => (Name === undefined ? [] : [Name]));
}

/** Streams the stored bytes of an object. An abort ends the stream with an error. */
export async function getObject(client: S3Client, { bucket, key }: S3Location, signal: AbortSignal): Promise<Readable> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
  if (!Body) throw new Error(`S3 answered without a body for ${formatS3Uri({ bucket, key })}.`);
  // In Node the body is a Readable; the type also covers browsers.
  return Body as Readable;
}

/** Reads a small object as text, with the ETag for `putIfUnchanged`; undefined if it does not exist. */
export async function getText(
  client: S3Client,
  { bucket, key }: S3Location,
  signal: AbortSignal,
): Promise<{ text: string; etag: string } | undefined> {
  try {
    const { Body, ETag = '' } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
    return { text: (await Body?.transformToString()) ?? '', etag: ETag };
  } catch (error) {
    if (error instanceof S3ServiceException && error.name === 'NoSuchKey') return undefined;
    throw error;
  }
}

/**
 * Writes a small JSON object unless another client was faster: compare-and-set with S3's conditional writes.
 * @param etag of the replaced object; undefined: the object must not exist
 * @returns whether it was written
 */
export async function putIfUnchanged(
  client: S3Client,
  { bucket, key }: S3Location,
  body: string,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const condition = etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag };
  const object = { Bucket: bucket, Key: key, Body: body, ContentType: 'application/json' };
  try {
    await client.send(new PutObjectCommand({ ...object, ...condition }), { abortSignal: signal });
    return true;
  } catch (error) {
    // 412: the object has changed. 409: another client is writing it. NoSuchKey: it was deleted.
    if (error instanceof S3ServiceException && LOST_RACES.has(error.name)) return false;
    throw error;
  }
}

const LOST_RACES: ReadonlySet<string> = new Set(['PreconditionFailed', 'ConditionalRequestConflict', 'NoSuchKey']);

/** Lists all objects whose key starts with the location's, sorted by key. */
export async function listObjects(client: S3Client, location: S3Location, signal: AbortSignal): Promise<S3Object[]> {
  const objects: S3Object[] = [];
  for await (const page of listPages(client, location, signal)) objects.push(...page);
  return objects;
}

/** Like `listObjects`, in pages of at most 1,000, for places that may not fit in memory. */
export async function* listPages(client: S3Client, { bucket, key }: S3Location, signal: AbortSignal): AsyncGenerator<S3Object[]> {
  let token: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key, ...(token && { ContinuationToken: token }) }), {
      abortSignal: signal,
    });
    yield (page.Contents ?? []).flatMap(({ Key, Size, LastModified, ETag }) =>
      Key === undefined
        ? []
        : { key: Key, size: Size ?? 0, modified: LastModified?.getTime() ?? 0, etag: (ETag ?? '').replaceAll('"', '') },
    );
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

/** Deletes keys, a thousand per request; a missing key counts as deleted. */
export async function deleteObjects(client: S3Client, bucket: string, keys: readonly string[], signal: AbortSignal): Promise<void> {
  for (let from = 0; from < keys.length; from += 1000) {
    const Objects = keys.slice(from, from + 1000).map((Key) => ({ Key }));
    const { Errors } = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }), {
      abortSignal: signal,
    });
    const failed = Errors?.find((error) => error.Code !== 'NoSuchKey');
    if (failed) {
      throw Object.assign(new Error(`${failed.Key}: ${failed.Message ?? failed.Code}`), { name: failed.Code ?? 'DeleteFailed' });
    }
  }
}

/** Aborts incomplete multipart uploads under a prefix: they do not appear in listings, but their storage is billed. */
export async function abortUploads(
  client: S3Client,
  { bucket, key }: S3Location,
  mayAbort: (key: string) => boolean,
  signal: AbortSignal,
): Promise<number> {
  let aborted = 0;
  let markers: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
  while (markers) {
    const page: Awaited<ReturnType<typeof listUploads>> = await listUploads(client, bucket, key, markers, signal);
    for (const { Key, UploadId } of page.Uploads ?? []) {
      if (Key === undefined || UploadId === undefined || !Key.startsWith(key) || !mayAbort(Key)) continue;
      await client
        .send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }), { abortSignal: signal })
        .catch((error: unknown) => {
          // Another client aborted the upload first.
          if (!(error instanceof Error) || error.name !== 'NoSuchUpload') throw error;
        });
      aborted += 1;
    }
    markers =
      page.IsTruncated && page.NextKeyMarker !== undefined
        ? { KeyMarker: page.NextKeyMarker, ...(page.NextUploadIdMarker !== undefined && { UploadIdMarker: page.NextUploadIdMarker }) }
        : undefined;
  }
  return aborted;
}

function listUploads(client: S3Client, bucket: string, prefix: string, markers: object, signal: AbortSignal) {
  return client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...markers }), { abortSignal: signal });
}
