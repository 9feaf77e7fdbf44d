import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { S3Client } from '@aws-sdk/client-s3';
import { connectionsFrom } from '../../connections/connections.ts';
import { openS3 } from '../../lib/s3.ts';
import { createBucket } from './s3-dataset.ts';
import { testStack } from './test-stack.ts';

export interface SparkSetting {
  readonly environment: Readonly<Record<string, string>>;
  readonly s3: S3Client;
  readonly bucket: string;
  /** A folder of the file's own; `SLUICE_STATE` lies in it. */
  readonly folder: string;
}

/**
 * What a file of Spark tests owns: a bucket, a folder, a state of its own, and `jobs` (test/fixtures/jobs unless said otherwise) as the
 * folder of jobs. Registers its own hooks; call inside `describe`.
 */
export function sparkSetting(jobs = fileURLToPath(new URL('../fixtures/jobs', import.meta.url))): SparkSetting {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-spark-'));
  const setting = { folder } as { -readonly [K in keyof SparkSetting]: SparkSetting[K] };
  const outside = { SLUICE_JOBS: process.env['SLUICE_JOBS'], SLUICE_STATE: process.env['SLUICE_STATE'] };
  before(async function () {
    this.timeout(600_000);
    setting.environment = (await testStack(['s3', 'spark'])).environment;
    setting.s3 = openS3(connectionsFrom(setting.environment).get('aws_default', ['aws']));
    setting.bucket = await createBucket(setting.s3);
    process.env['SLUICE_JOBS'] = jobs;
    process.env['SLUICE_STATE'] = join(folder, 'state');
  });
  after(() => {
    setting.s3?.destroy();
    for (const [name, value] of Object.entries(outside)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(folder, { recursive: true, force: true });
  });
  return setting;
}
