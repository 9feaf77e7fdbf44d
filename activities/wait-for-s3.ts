import Type from 'typebox';
import { text } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';
import { WAIT_KEYS } from './wait-keys.ts';

/** Waits for an object. */
export const waitForS3 = declareTask({
  type: 'wait_for_s3',
  runtime: 'planned',
  description: 'Waits for an object in S3; waiting holds no worker.',
  summary: ({ bucket, key }) => `s3://${bucket}/${key}`,
  params: Type.Object({
    bucket: text('Bucket', 'The bucket.', 'raw-data'),
    key: text('Key', 'The object; * stands for any characters.', 'sales/{{ ds }}/_SUCCESS'),
    ...WAIT_KEYS,
  }),
  result: Type.Object({ key: Type.String(), bytes: Type.Integer() }),
  connections: { storage: { key: 'aws_conn_id', default: 'aws_default', types: ['aws'], description: 'The S3.' } },
  example: { name: 'wait_for_sales', type: 'wait_for_s3', bucket: 'raw-data', key: 'sales/{{ ds }}/_SUCCESS', timeout: '6h' },
});
