import { randomUUID } from 'node:crypto';
import { postgresToS3 } from '../../activities/postgres-to-s3.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { DatasetReference } from '../../workflows/plan/datasets/dataset.ts';
import type { TestBucket } from './buckets.ts';
import type { TestDatabase } from './databases.ts';
import { runTask } from './run-task.ts';

/** Exports a table as a dataset, like a pipeline. @returns its prefix, `s3://bucket/table/` */
export async function exportTable(database: TestDatabase, bucket: TestBucket, table: string, more: JsonObject = {}): Promise<string> {
  const { uri } = await runTask<DatasetReference>(postgresToS3, {
    params: { source_table: table, s3_bucket: bucket.name, ...more },
    environment: { SLUICE_CONN_POSTGRES_DEFAULT: database.url, SLUICE_CONN_AWS_DEFAULT: bucket.url },
    output: `s3://${bucket.name}/${table}/`,
    // A separate run: another attempt of the same run would return what the first published.
    runId: `export/${randomUUID()}`,
  });
  return uri;
}
