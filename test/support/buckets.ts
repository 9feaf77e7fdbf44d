import { setMaxListeners } from 'node:events';
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { CreateBucketCommand, DeleteBucketCommand, ListMultipartUploadsCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { abortUploads, type AwsConnection, deleteObjects, getObject, listObjects, openS3 } from '../../lib/s3.ts';
import { connectionVariable, parseConnection } from '../../connections/parse.ts';
import { testStack } from './test-stack.ts';

/** The bucket of one test file. */
export interface TestBucket {
  readonly name: string;
  readonly client: S3Client;
  /** The connection to the server, as a value of `SLUICE_CONN_…`, and parsed. */
  readonly url: string;
  readonly connection: AwsConnection;
  /** The keys under a prefix, sorted. */
  keys(prefix?: string): Promise<string[]>;
  /** Number of incomplete multipart uploads. */
  uploads(): Promise<number>;
  put(key: string, body: string | Buffer): Promise<void>;
  remove(key: string): Promise<void>;
  /** The bytes of an object. */
  bytes(key: string): Promise<Buffer>;
  /** The text of an object; `.gz` is decompressed. */
  text(key: string): Promise<string>;
  drop(): Promise<void>;
}

/** Creates a bucket with a random name on the suite's S3 server. Drop it in `after`. */
export async function createBucket(): Promise<TestBucket> {
  const { environment } = await testStack(['s3']);
  const url = environment[connectionVariable('aws_default')] ?? '';
  const connection = parseConnection('aws_default', url);
  if (connection.type !== 'aws') throw new Error('aws_default is not S3.');
  const client = openS3(connection);
  const name = `test-${randomBytes(6).toString('hex')}`;
  const { signal } = new AbortController();
  // Tests read many objects concurrently.
  setMaxListeners(0, signal);
  await client.send(new CreateBucketCommand({ Bucket: name }));
  const bytes = async (key: string): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of (await getObject(client, { bucket: name, key }, signal)) as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  return {
    name,
    client,
    url,
    connection,
    keys: async (prefix = '') => (await listObjects(client, { bucket: name, key: prefix }, signal)).map(({ key }) => key),
    uploads: async () => (await client.send(new ListMultipartUploadsCommand({ Bucket: name }))).Uploads?.length ?? 0,
    put: async (key, body) =>
      void (await client.send(new PutObjectCommand({ Bucket: name, Key: key, Body: body, ContentLength: Buffer.byteLength(body) }))),
    remove: (key) => deleteObjects(client, name, [key], signal),
    bytes,
    text: async (key) => {
      if (!key.endsWith('.gz')) return text(await getObject(client, { bucket: name, key }, signal));
      return gunzipSync(await bytes(key)).toString('utf8');
    },
    async drop() {
      await abortUploads(client, { bucket: name, key: '' }, () => true, signal);
      const objects = await listObjects(client, { bucket: name, key: '' }, signal);
      await deleteObjects(
        client,
        name,
        objects.map(({ key }) => key),
        signal,
      );
      await client.send(new DeleteBucketCommand({ Bucket: name }));
      client.destroy();
    },
  };
}
