import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { platformFault, userFault } from '../../run/errors.ts';
import type { Storage } from './storage.ts';

/** S3 error codes for wrong keys or missing permissions. */
const DENIED = new Set([
  'AccessDenied',
  'AllAccessDisabled',
  'AuthorizationHeaderMalformed',
  'CredentialsProviderError',
  'ExpiredToken',
  'Forbidden',
  'InvalidAccessKeyId',
  'InvalidToken',
  'SignatureDoesNotMatch',
  // InvalidAccessKeyId in versitygw.
  'XAdminUserNotFound',
]);

/**
 * Calls S3. @throws S3's error, translated for the analyst
 * @param doing the operation: `write s3://bucket/key`
 */
export async function askStorage<T>(storage: Storage, bucket: string, doing: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw storageFailure(error, storage, bucket, doing);
  }
}

/**
 * Translates S3's error for the analyst.
 * @param doing the operation: `write s3://bucket/key`
 */
export function storageFailure(error: unknown, storage: Storage, bucket: string, doing: string): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const { name, message, status, code } = details(error);
  const { connection, server } = storage;
  if (name === 'NoSuchBucket' || (name === 'NotFound' && status === 404)) {
    return userFault(
      'BucketNotFound',
      `There is no bucket '${bucket}' at ${server} (connection '${connection}'). Create it (aws s3 mb s3://${bucket}), or correct s3_bucket in the task.`,
    );
  }
  if (name === 'PermanentRedirect' || status === 301) {
    return userFault(
      'BucketNotFound',
      `Bucket '${bucket}' lies in another region than ${server}: set region_name in connection '${connection}' to the bucket's region.`,
    );
  }
  if (name === 'NoSuchKey') return platformFault('DatasetChanged', `An object is gone that was there: could not ${doing}.`, error);
  if (DENIED.has(name) || status === 403) {
    return userFault(
      'AccessDenied',
      `${server} refused to ${doing} with connection '${connection}' (${name}). Check the connection's keys, and that they may read, write, list and delete in bucket '${bucket}'.`,
    );
  }
  return platformFault(
    'S3Unavailable',
    `Could not ${doing}: ${server} (connection '${connection}') ${code ?? status ?? name}: ${message.replace(/\.$/, '')}. Check that the S3 server runs and can be reached from this worker; the task will try again.`,
    error,
  );
}

function details(error: unknown): { name: string; message: string; status: number | undefined; code: string | undefined } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), status: undefined, code: undefined };
  const { $metadata, code } = error as { $metadata?: { httpStatusCode?: number }; code?: unknown };
  // Node's AggregateError (both addresses of localhost refused) has an empty message.
  const inner = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined;
  return {
    name: error.name,
    message: error.message || inner?.message || error.name,
    status: $metadata?.httpStatusCode,
    code: typeof code === 'string' ? code : undefined,
  };
}
