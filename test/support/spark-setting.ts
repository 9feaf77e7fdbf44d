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
  /** The folder of the test file; it contains `SLUICE_STATE`. */
  readonly folder: string;
}

/**
 * Provides a Spark test file with a bucket, a folder, a separate state, and the job folder `jobs` (default: test/fixtures/jobs). Registers
 * hooks; call it inside `describe`.
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
