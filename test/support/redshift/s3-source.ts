import { json } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import type { S3Client } from '@aws-sdk/client-s3';
import { type AwsConnection, getObject, openS3, parseS3Uri } from '../../../lib/s3.ts';
import type { CopyStatement } from './copy-statement.ts';
import { RedshiftError } from './dialect.ts';

interface Manifest {
  readonly entries: readonly { readonly url: string; readonly mandatory?: boolean; readonly meta?: { readonly content_length?: number } }[];
}

/** A decompressed file of a COPY. */
export interface SourceFile {
  readonly url: string;
  readonly data: AsyncIterable<Buffer>;
}

/** Reads the files of a COPY like Redshift: with the keys in the statement, or the role. */
export async function* readSource(copy: CopyStatement, aws: AwsConnection): AsyncGenerator<SourceFile> {
  const client = openS3(copy.keys ? { ...aws, access_key_id: copy.keys.id, secret_access_key: copy.keys.secret } : aws);
  try {
    if (!copy.manifest) throw new RedshiftError('0A000', 'the stand-in reads manifests only');
    const manifest = (await json(await open(client, copy.uri, 'Problem reading manifest file - '))) as Manifest;
    if (!Array.isArray(manifest.entries) || manifest.entries.length === 0) {
      throw new RedshiftError('XX000', 'Manifest file contains no entries');
    }
    for (const { url, mandatory = false, meta } of manifest.entries) {
      let stored: AsyncIterable<Buffer>;
      try {
        stored = await open(client, url, '');
      } catch (error) {
        if (!mandatory && error instanceof RedshiftError && error.message.includes('NoSuchKey')) continue;
        throw error;
      }
      const measured = ofLength(stored, url, meta?.content_length);
      yield { url, data: copy.gzip ? gunzip(measured, url) : measured };
    }
  } finally {
    client.destroy();
  }
}

async function open(client: S3Client, uri: string, doing: string) {
  try {
    return await getObject(client, parseS3Uri(uri), AbortSignal.timeout(30_000));
  } catch (error) {
    const { name, message: text, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    throw new RedshiftError(
      'XX000',
      `${doing}S3ServiceException:${text},Status ${$metadata?.httpStatusCode ?? 500},Error ${name},CanRetry 1,Key ${uri}`,
    );
  }
}

async function* ofLength(source: AsyncIterable<Buffer>, url: string, expected: number | undefined): AsyncGenerator<Buffer> {
  let length = 0;
  for await (const chunk of source) {
    length += chunk.length;
    yield chunk;
  }
  if (expected !== undefined && expected !== length) {
    throw new RedshiftError(
      'XX000',
      `File ${url} has an unexpected length: content_length in the manifest is ${expected}, the object has ${length}`,
    );
  }
}

async function* gunzip(source: AsyncIterable<Buffer>, url: string): AsyncGenerator<Buffer> {
  const decompressed = createGunzip();
  const feeding = (async () => {
    try {
      for await (const chunk of source) if (!decompressed.write(chunk)) await new Promise((resolve) => decompressed.once('drain', resolve));
      decompressed.end();
    } catch (error) {
      decompressed.destroy(error as Error);
    }
  })();
  try {
    for await (const chunk of decompressed as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw error instanceof RedshiftError ? error : new RedshiftError('XX000', `gzip of ${url} is damaged: ${(error as Error).message}`);
  }
  await feeding;
}
