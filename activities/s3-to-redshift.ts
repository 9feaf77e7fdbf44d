import { defineTask } from './define-task.ts';
import { connections, loadMistakes, params, result } from './s3-to-redshift/parameters.ts';

/** Loads a dataset from S3 into a table of Redshift or PostgreSQL: completely and once, or not at all. */
export const s3ToRedshift = defineTask({
  type: 's3_to_redshift',
  description: 'Loads a dataset from S3 into a table of Redshift or PostgreSQL: completely and exactly once.',
  summary: ({ s3_bucket: bucket, s3_key: key, redshift_table: table, schema, method = 'replace' }) =>
    `s3://${bucket}/${key ?? '…'} → ${schema === undefined ? '' : `${schema}.`}${table} (${method})`,
  params,
  mistakes: loadMistakes,
  result,
  connections,
  data: { reads: { bucketKey: 's3_bucket' } },
  example: { name: 'load_categories', type: 's3_to_redshift', s3_bucket: 'transformed-data', redshift_table: 'dim_product_categories' },
  run: async (context, task) => (await import('./s3-to-redshift/load.ts')).load(context, task),
});
