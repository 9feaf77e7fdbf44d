import type { AwsConnection } from '../../lib/s3.ts';
import { MANIFEST_NAME } from '../../workflows/plan/datasets/dataset.ts';
import { parseExactJson } from '../../workflows/plan/values/exact-json.ts';
import { isMap, type Json } from '../../workflows/plan/values/json.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import { IDEMPOTENCY_KEY } from '../../lib/idempotency-header.ts';

/** The id of a task's effect consists of run id, execution id and task: `dag/kafka/t-0-1/0190…-…/publish`. */
const EFFECT = /^(.+)\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/./;
/** Objects that tasks write: the files of a run's folder, and manifests. */
const WRITTEN = new RegExp(`(^|/)(run-[0-9a-f]{8}-[^/]+/[^/]+|${MANIFEST_NAME.replace('.', '\\.')})$`);
/** Maximum size of a manifest in bytes; other programs wrote larger files. */
const LARGEST_BYTES = 16 * 1024 * 1024;

/**
 * The runs that produced an event, according to the event itself; empty if something else produced it, or if unknown.
 * @param type of the trigger
 * @returns their workflow ids
 */
export function makersOf(type: string, { value, meta }: RunEvent): string[] {
  if (type === 'kafka' || type === 'rabbitmq') {
    const run = EFFECT.exec(idempotencyKeyOf(meta) ?? '')?.[1];
    return run === undefined ? [] : [run];
  }
  if (!isMap(value)) return [];
  const runs = type === 'pipeline' ? [value] : type === 'dataset' && Array.isArray(value.updates) ? (value.updates as readonly Json[]) : [];
  return runs.flatMap((run) => (isMap(run) && typeof run.run_id === 'string' ? [run.run_id] : []));
}

/** The idempotency key of the task that wrote an event; undefined if its headers have none. */
export function idempotencyKeyOf({ headers }: RunEvent['meta']): string | undefined {
  const key = isMap(headers) ? headers[IDEMPOTENCY_KEY] : undefined;
  return typeof key === 'string' ? key : undefined;
}

/**
 * The run that wrote an object, according to the manifest beside it.
 * @returns its workflow id; undefined if something else wrote it, or its manifest does not exist yet
 */
export async function writerOf({ value }: RunEvent, connection: AwsConnection, signal: AbortSignal): Promise<string | undefined> {
  if (!isMap(value) || typeof value.bucket !== 'string' || typeof value.key !== 'string' || !WRITTEN.test(value.key)) return undefined;
  const key = value.key.slice(0, value.key.lastIndexOf('/') + 1) + MANIFEST_NAME;
  // Loaded on first use: most sensors never read S3.
  const { getObject, openS3 } = await import('../../lib/s3.ts');
  const client = openS3(connection);
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of (await getObject(client, { bucket: value.bucket, key }, signal)) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST_BYTES) return undefined;
      chunks.push(chunk);
    }
    const manifest = parseExactJson(Buffer.concat(chunks).toString('utf8'));
    const writer = isMap(manifest) ? manifest.writer : undefined;
    return isMap(writer) && typeof writer.pipeline_run_id === 'string' ? writer.pipeline_run_id : undefined;
  } finally {
    client.destroy();
  }
}
