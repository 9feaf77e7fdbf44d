import Type from 'typebox';
import { listObjects } from '../lib/s3.ts';
import { text } from '../lib/schema-fields.ts';
import { matchesGlob, prefixOfGlob } from '../lib/glob.ts';
import { connectionName } from './support/dataset/parameters.ts';
import { openStorage } from './support/dataset/storage.ts';
import { storageFailure } from './support/dataset/storage-failure.ts';
import { defineTask } from './define-task.ts';
import { notYet, orNotYet } from './run/errors.ts';
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
  run: ({ connections, signal }, params) =>
    orNotYet(['BucketNotFound'], async () => {
      const { bucket, key } = params;
      const storage = openStorage(connections.storage, connectionName(params, STORAGE));
      try {
        const objects = await listObjects(storage.client, { bucket, key: prefixOfGlob(key) }, signal);
        const found = objects.find((object) => matchesGlob(object.key, key));
        if (!found) throw notYet(`s3://${bucket}/${key} is not there.`);
        return { key: found.key, bytes: found.size };
      } catch (error) {
        throw storageFailure(error, storage, bucket, `list s3://${bucket}/${key}`);
      } finally {
        storage.client.destroy();
      }
    }),
});
