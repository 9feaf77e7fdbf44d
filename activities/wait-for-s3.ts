import Type from 'typebox';
import { text } from '../lib/schema-fields.ts';
import { connectionName } from './support/dataset/parameters.ts';
import { defineTask } from './define-task.ts';
import { WAIT_DEFAULTS, WAIT_KEYS } from './run/wait-keys.ts';

const STORAGE = { key: 'conn_id', formerly: 'aws_conn_id', default: 'aws_default', types: ['aws'], description: 'The S3.' } as const;

/** Waits for an object. */
export const waitForS3 = defineTask({
  type: 'wait_for_s3',
  description: 'Waits for an object in S3; waiting holds no worker.',
  summary: ({ bucket, key }) => `s3://${bucket}/${key}`,
  params: Type.Object({
    bucket: text('Bucket', 'The bucket.', 'raw-data'),
    key: text('Key', 'The object; * matches any characters.', 'sales/{{ ds }}/_SUCCESS', { format: 'path' }),
    ...WAIT_KEYS,
  }),
  result: Type.Object({ key: Type.String(), bytes: Type.Integer() }),
  connections: { storage: STORAGE },
  waits: true,
  defaults: WAIT_DEFAULTS,
  example: { name: 'wait_for_sales', type: 'wait_for_s3', bucket: 'raw-data', key: 'sales/{{ ds }}/_SUCCESS', timeout: '6h' },
  run: async (context, params) =>
    (await import('./wait-for-s3/find-object.ts')).findObject(
      context.connections.storage,
      connectionName(params, STORAGE),
      params,
      context.signal,
    ),
});
