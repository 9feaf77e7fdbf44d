import Type from 'typebox';
import { defineTask } from './define-task.ts';
import { DatasetReferenceSchema } from './support/dataset/parameters.ts';
import { transformMistakes } from './transform/mistakes.ts';
import { connections, params } from './transform/parameters.ts';
import type { TransformResult } from './transform/run-transform.ts';

const result = Type.Unsafe<TransformResult>({
  ...DatasetReferenceSchema,
  properties: {
    ...(DatasetReferenceSchema as unknown as { readonly properties: object }).properties,
    rows_read: Type.Integer({ minimum: 0, description: 'Records of the source: `rows` + rows_left_out + rows_rejected.' }),
    rows_left_out: Type.Integer({ minimum: 0, description: 'By `filter`, or lines of another kind.' }),
    rows_rejected: Type.Integer({ minimum: 0 }),
    dead_letters: Type.Union([Type.String(), Type.Null()], { description: 'The file with the rejected records and the reasons.' }),
  },
});

/** Reads records of one format, maps them, and writes another. */
export const transform = defineTask({
  type: 'transform',
  description:
    'Reads the records of a file (JSON, CSV, XML, fixed width, EDI), maps each by expressions, validates it, and writes a dataset or a document. ' +
    'Every record is written, left out or rejected, and counted. Files are streamed; a JSON document is read as a whole, at most 64 million characters. A record has at most 1 million characters.',
  summary: ({ s3_bucket: bucket, s3_key: key, read, write }) =>
    `${key === undefined ? 'the data' : `s3://${bucket}/${key}`}${read ? ` (${read.format})` : ''} → ${write?.format ?? 'jsonl'}`,
  params,
  mistakes: transformMistakes,
  result,
  connections,
  data: { reads: { bucketKey: 's3_bucket', instead: ['s3_key', 'text'] }, writes: {} },
  example: {
    name: 'read_inventory',
    type: 'transform',
    s3_bucket: 'raw-data',
    s3_key: 'inventory/{{ ds }}.csv',
    read: { format: 'csv', delimiter: ';' },
    map: { product_id: 'record.sku', quantity: 'int(record.qty)' },
    schema: { required: ['product_id'], properties: { quantity: { type: 'integer', minimum: 0 } } },
    on_invalid: 'dead_letter',
    write: { format: 'csv' },
  },
  run: async (context, task) => (await import('./transform/run-transform.ts')).runTransform(context, task),
});
