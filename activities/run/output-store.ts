import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Connections } from '../../connections/connections.ts';
import { type Environment, SettingError } from '../../lib/environment.ts';
import { formatS3Uri, openS3, parseS3Uri, type S3Location } from '../../lib/s3.ts';
import { hasDotSegment } from '../../workflows/plan/values/dot-segments.ts';

/** What a task's output is where it was too large to be kept in the history of its run. */
export interface StoredOutput {
  /** Where it is, as JSON: `s3://bucket/key`. */
  readonly stored_at: string;
  readonly bytes: number;
}

/** Where outputs go that are too large for the history of a run. */
export interface OutputStore {
  /**
   * @param identity of the task in its run: another attempt writes to the same place
   * @param json the output
   */
  put(identity: string, json: string, signal: AbortSignal): Promise<StoredOutput>;
}

/**
 * The store that `SLUICE_OUTPUTS` names (`s3://bucket/prefix`), on the connection `aws_default`; undefined where it names none.
 * @throws SettingError when it names something else
 */
export function outputStoreFrom(environment: Environment, connections: Connections): OutputStore | undefined {
  const { SLUICE_OUTPUTS: uri } = environment;
  if (uri === undefined || uri === '') return undefined;
  const { bucket, key: prefix } = bucketOf(uri);
  return {
    async put(identity, json, signal) {
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

/** An id of a run is made of what events and people say: a part `.` or `..` of it must not lead to another folder. */
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
