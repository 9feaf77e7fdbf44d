import type * as AwsSdk from '@aws-sdk/client-s3';
import Type, { type Static } from 'typebox';
import type { AwsConnection } from '../lib/s3.ts';
import { flag } from '../lib/schema-fields.ts';
import { defineResource, type ResourceServer } from './define-resource.ts';
import { type Fields, fieldsOfMap } from './fields.ts';

const BucketKeys = Type.Object({
  versioning: Type.Optional(
    flag('Versioning', 'Whether overwritten and deleted objects are kept as versions. Absent: it is not compared.', true),
  ),
  tags: Type.Optional(
    Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Type.String({ maxLength: 256 }), {
      title: 'Tags',
      description: 'All tags of the bucket. Absent: they are not compared.',
      examples: [{ team: 'shop' }],
    }),
  ),
});
type BucketKeys = Static<typeof BucketKeys>;

/** S3's default region, which a request to create a bucket must not name. */
const DEFAULT_REGION = 'us-east-1';

export const s3Bucket = defineResource({
  type: 's3_bucket',
  description: 'A bucket of S3.',
  name: {
    description: 'The name of the bucket.',
    pattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$',
    form: '3 to 63 lowercase letters, digits, dots and -, starting and ending with a letter or digit',
    example: 'product-images',
  },
  connection: { default: 'aws_default', types: ['aws'] },
  params: BucketKeys,
  fields: ({ versioning, tags = {} }) => ({ ...(versioning !== undefined && { versioning }), ...fieldsOfMap('tags', tags) }),
  deletesContents: false,
  async open(connection) {
    const [{ openS3 }, sdk] = await Promise.all([import('../lib/s3.ts'), import('@aws-sdk/client-s3')]);
    return serverOf(openS3(connection), sdk, connection);
  },
  example: { name: 'product-images', type: 's3_bucket', tags: { team: 'shop' } },
});

function serverOf(client: AwsSdk.S3Client, sdk: typeof AwsSdk, { region_name: region }: AwsConnection): ResourceServer<BucketKeys> {
  /** The answer, or undefined for one of these errors. */
  const unless = async <T>(errors: readonly string[], answer: Promise<T>): Promise<T | undefined> => {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof sdk.S3ServiceException && errors.includes(error.name)) return undefined;
      throw error;
    }
  };
  const exists = async (Bucket: string): Promise<boolean> =>
    (await unless(['NotFound', 'NoSuchBucket'], client.send(new sdk.HeadBucketCommand({ Bucket })))) !== undefined;
  const setTags = async (Bucket: string, tags: Readonly<Record<string, string>>): Promise<void> => {
    const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    if (TagSet.length > 0) await client.send(new sdk.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
    else await client.send(new sdk.DeleteBucketTaggingCommand({ Bucket }));
  };
  const setVersioning = async (Bucket: string, isOn: boolean): Promise<void> => {
    await client.send(new sdk.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: isOn ? 'Enabled' : 'Suspended' } }));
  };
  return {
    async read(name, { versioning, tags }): Promise<Fields | undefined> {
      if (!(await exists(name))) return undefined;
      const found = tags && (await unless(['NoSuchTagSet'], client.send(new sdk.GetBucketTaggingCommand({ Bucket: name }))));
      const entries = (found?.TagSet ?? []).map(({ Key = '', Value = '' }): [string, string] => [Key, Value]);
      const state = versioning === undefined ? undefined : await client.send(new sdk.GetBucketVersioningCommand({ Bucket: name }));
      return { ...(state && { versioning: state.Status === 'Enabled' }), ...fieldsOfMap('tags', Object.fromEntries(entries)) };
    },
    async create(name, { versioning, tags }) {
      const location = region === DEFAULT_REGION ? {} : { CreateBucketConfiguration: { LocationConstraint: region as never } };
      await client.send(new sdk.CreateBucketCommand({ Bucket: name, ...location }));
      if (tags && Object.keys(tags).length > 0) await setTags(name, tags);
      if (versioning) await setVersioning(name, true);
    },
    async update(name, { versioning, tags }, _, differences) {
      if (tags && differences.some(({ field }) => field.startsWith('tags.'))) await setTags(name, tags);
      if (versioning !== undefined && differences.some(({ field }) => field === 'versioning')) await setVersioning(name, versioning);
    },
    async contents(name) {
      const page = await unless(['NoSuchBucket'], client.send(new sdk.ListObjectsV2Command({ Bucket: name, MaxKeys: MAX_COUNTED })));
      const count = page?.KeyCount ?? 0;
      return count === 0 ? undefined : `${page?.IsTruncated ? `at least ${count}` : count} object${count === 1 ? '' : 's'}`;
    },
    // S3 refuses to delete a bucket that has objects or versions.
    delete: async (name) => void (await unless(['NoSuchBucket'], client.send(new sdk.DeleteBucketCommand({ Bucket: name })))),
    close: () => Promise.resolve(client.destroy()),
  };
}

/** Objects are only counted as far as one answer lists them. */
const MAX_COUNTED = 1000;
