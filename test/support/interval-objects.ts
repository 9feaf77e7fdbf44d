import assert from 'node:assert/strict';
import { type AwsConnection, parseConnection } from '../../lib/connections.ts';
import { formatS3Uri, getObject, listObjects, openS3 } from '../../lib/s3.ts';
import { text } from 'node:stream/consumers';
import { type DatasetManifest, datasetLocation, MANIFEST_NAME } from '../../workflows/plan/dataset.ts';
import type { Plan } from '../../workflows/plan/plan.ts';

/**
 * Fails unless each data set that a run of `plan` wrote for an interval holds what its manifest says, and nothing else.
 * @returns how many objects there are, by task
 */
export async function assertNoOrphans(
  plan: Plan,
  intervalStart: string,
  environment: Record<string, string>,
): Promise<Record<string, number>> {
  const client = openS3(parseConnection('aws_default', environment.SLUICE_CONN_AWS_DEFAULT ?? '') as AwsConnection);
  const signal = AbortSignal.timeout(30_000);
  try {
    const counts: Record<string, number> = {};
    for (const { name, outputBase } of plan.tasks) {
      if (outputBase === undefined) continue;
      const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(datasetLocation(outputBase, intervalStart)) ?? [];
      const keys = (await listObjects(client, { bucket, key }, signal)).map((object) => formatS3Uri({ bucket, key: object.key }));
      const manifestUri = formatS3Uri({ bucket, key: key + MANIFEST_NAME });
      const manifest = JSON.parse(await text(await getObject(client, { bucket, key: key + MANIFEST_NAME }, signal))) as DatasetManifest;
      assert.deepEqual(keys.sort(), [...manifest.entries.map(({ url }) => url), manifestUri].sort());
      counts[name] = keys.length;
    }
    return counts;
  } finally {
    client.destroy();
  }
}
