import type { Connections } from '../../connections/connections.ts';
import { type Environment, SettingError } from '../../lib/environment.ts';
import { formatS3Uri, parseS3Uri, type S3Location } from '../../lib/s3-uri.ts';
import { hasDotSegment } from '../../workflows/plan/values/dot-segments.ts';

/** Replaces a task's output that was too large for the history of its run. */
export interface StoredOutput {
  /** S3 URI of the output as JSON: `s3://bucket/key`. */
  readonly stored_at: string;
  readonly bytes: number;
}

/** Stores outputs that are too large for the history of a run. */
export interface OutputStore {
  /**
   * @param identity of the task in its run: another attempt writes to the same place
   * @param json the output
   */
  put(identity: string, json: string, signal: AbortSignal): Promise<StoredOutput>;
}

/**
 * Opens the store in `SLUICE_OUTPUTS` (`s3://bucket/prefix`) through the connection `aws_default`; undefined if it is not set.
 * @throws SettingError when the value is not such a URI
 */
export function outputStoreFrom(environment: Environment, connections: Connections): OutputStore | undefined {
  const { SLUICE_OUTPUTS: uri } = environment;
  if (uri === undefined || uri === '') return undefined;
  const { bucket, key: prefix } = bucketOf(uri);
  return {
    async put(identity, json, signal) {
      // The SDK of AWS takes 0.2 s to load, and few workers ever store an output.
      const [{ PutObjectCommand }, { openS3 }] = await Promise.all([import('@aws-sdk/client-s3'), import('../../lib/s3.ts')]);
      const client = openS3(connections.get('aws_default', ['aws']));
      const key = [prefix.replace(/\/$/, ''), `${withoutDotSegments(identity)}.json`].filter(Boolean).join('/');
      try {
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: json, ContentType: 'application/json' }), {
          abortSignal: signal,
        });
      } finally {
        client.destroy();
      }
      return { stored_at: formatS3Uri({ bucket, key }), bytes: Buffer.byteLength(json) };
    },
  };
}

/** Run ids contain text from events and users: a `.` or `..` segment in them must not lead to another folder. */
function withoutDotSegments(identity: string): string {
  return identity
    .split('/')
    .map((part) => (hasDotSegment(part) ? `~${part}` : part))
    .join('/');
}

function bucketOf(uri: string): S3Location {
  try {
    return parseS3Uri(uri);
  } catch {
    throw new SettingError(`SLUICE_OUTPUTS is '${uri}'. Set it to the place for large outputs, such as s3://bucket/prefix, or to nothing.`);
  }
}
