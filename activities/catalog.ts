import { approval } from './approval.ts';
import type { TaskType } from './define-task.ts';
import { empty } from './empty.ts';
import { postgresToS3 } from './postgres-to-s3.ts';
import { runPipeline } from './run-pipeline.ts';
import { s3ToRedshift } from './s3-to-redshift.ts';
import { sparkJob } from './spark-job.ts';

/** Every task type there is. To add one: write its file beside this one, and list it here. */
export const CATALOG: readonly TaskType[] = [postgresToS3, sparkJob, s3ToRedshift, runPipeline, approval, empty];
