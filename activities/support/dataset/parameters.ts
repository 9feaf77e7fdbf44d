import Type from 'typebox';
import { DATASET_FORMATS, type DatasetReference } from '../../../workflows/plan/datasets/dataset.ts';

/** A parameter for a bucket name, according to S3's naming rules. */
export function bucketName(description: string) {
  return Type.String({
    title: 'Bucket',
    description: `${description} 3 to 63 lower-case letters, digits, dots and hyphens.`,
    pattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$',
    form: '3 to 63 lowercase letters, digits, dots and hyphens',
    template: 'none',
    examples: ['raw-data'],
  });
}

/** A parameter for a key prefix. */
export function keyPrefix(description: string) {
  return Type.Optional(
    Type.String({
      title: 'Key prefix',
      description,
      pattern: '^(?!/|[A-Za-z][A-Za-z0-9+.-]*://).+$',
      form: 'a prefix inside the bucket, without s3:// and without / at the start',
      format: 'path',
      maxLength: 900,
      examples: ['exports/categories/{{ ds_nodash }}/'],
    }),
  );
}

/** The output of a task that produces data: `DatasetReference`. */
export const DatasetReferenceSchema = Type.Unsafe<DatasetReference>(
  Type.Object(
    {
      uri: Type.String({ description: 's3://bucket/prefix/' }),
      manifest: Type.String({ description: 's3://bucket/prefix/manifest.json' }),
      format: Type.Union(DATASET_FORMATS.map((format) => Type.Literal(format))),
      rows: Type.Integer({ minimum: 0 }),
      bytes: Type.Integer({ minimum: 0, description: 'Of all files, as stored.' }),
      schema: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
      checksum: Type.Optional(Type.String({ description: 'SHA-256 of the manifest.' })),
    },
    { description: 'Where the data is and what it holds.' },
  ),
);

/** The name of a task's connection, for messages: `defineTask` adds its key to the parameters. */
export function connectionName(params: object, need: { readonly key: string; readonly default: string }): string {
  const chosen = (params as Readonly<Record<string, unknown>>)[need.key];
  return typeof chosen === 'string' ? chosen : need.default;
}

/** Passes on at most one call per second: each progress report is a message to the server. */
export function everySecond<T>(report: (value: T) => void): (value: T) => void {
  let last = 0;
  return (value) => {
    const now = performance.now();
    if (now - last < 1000) return;
    last = now;
    report(value);
  };
}
