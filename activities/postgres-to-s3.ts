import { DatasetReferenceSchema } from './support/dataset/parameters.ts';
import { defineTask } from './define-task.ts';
import { connections, params } from './postgres-to-s3/parameters.ts';

/** Copies a table or the rows of a query from one PostgreSQL snapshot to files in S3. */
export const postgresToS3 = defineTask({
  type: 'postgres_to_s3',
  description: "Copies a table, or a query's rows, from PostgreSQL to compressed files in S3.",
  summary: ({ source_table: table, s3_bucket: bucket, s3_key: key }) => `${table ?? 'query'} → s3://${bucket}/${key ?? '…'}`,
  params,
  exactlyOneOf: [['source_table', 'query']],
  planned: { file_format: ['parquet'] },
  result: DatasetReferenceSchema,
  connections,
  data: { writes: { bucketKey: 's3_bucket' } },
  example: { name: 'extract_categories', type: 'postgres_to_s3', source_table: 'product_categories', s3_bucket: 'raw-data' },
  run: async (context, task) => (await import('./postgres-to-s3/extract.ts')).extract(context, task),
});
