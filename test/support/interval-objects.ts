import assert from 'node:assert/strict';
import { parseConnection } from '../../connections/parse.ts';
import { type AwsConnection, formatS3Uri, getObject, listObjects, openS3, parseS3Uri } from '../../lib/s3.ts';
import { text } from 'node:stream/consumers';
import { type DatasetManifest, datasetLocation, MANIFEST_NAME } from '../../workflows/plan/datasets/dataset.ts';
import type { Plan } from '../../workflows/plan/plan.ts';

/**
 * Fails unless the folder of an interval contains only manifests and the files they name, for each task of `plan` that writes data.
 * @returns the number of objects by task
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
      const pointer = formatS3Uri({ bucket, key: key + MANIFEST_NAME });
      const manifests = keys.filter((each) => each.endsWith(`/${MANIFEST_NAME}`));
      const named = await Promise.all(
        manifests.map(async (manifest) => {
          const content = JSON.parse(await text(await getObject(client, parseS3Uri(manifest), signal))) as DatasetManifest;
          return [manifest, ...content.entries.map(({ url }) => url)];
        }),
      );
      assert.ok(manifests.includes(pointer), `there is no ${pointer}`);
      assert.deepEqual(keys.sort(), [...new Set(named.flat())].sort());
      counts[name] = keys.length;
    }
    return counts;
  } finally {
    client.destroy();
  }
}
