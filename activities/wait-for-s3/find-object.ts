import { matchesGlob, prefixOfGlob } from '../../lib/glob.ts';
import { type AwsConnection, listObjects } from '../../lib/s3.ts';
import { notYet, orNotYet } from '../run/errors.ts';
import { openStorage } from '../support/dataset/storage.ts';
import { storageFailure } from '../support/dataset/storage-failure.ts';

/**
 * Looks for an object.
 * @param name of the connection, for messages
 * @param place `key` may contain `*`
 * @throws ApplicationFailure `NotYet` while it is not there
 */
export function findObject(
  connection: AwsConnection,
  name: string,
  { bucket, key }: { readonly bucket: string; readonly key: string },
  signal: AbortSignal,
): Promise<{ key: string; bytes: number }> {
  return orNotYet(['BucketNotFound'], async () => {
    const storage = openStorage(connection, name);
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
  });
}
