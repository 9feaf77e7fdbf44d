import type { TaskContext } from '../../define-task.ts';
import type { DatasetOutput } from './dataset-output.ts';
import { IntervalOutput } from './interval-output.ts';
import { RunOutput } from './run-output.ts';
import type { Storage } from './storage.ts';

/**
 * Opens the output of a task.
 * @param folder `s3://bucket/prefix/`, if the task sets one; undefined: the interval's folder
 * @returns undefined when neither the task nor the plan names a folder
 */
export function openDatasetOutput(ctx: TaskContext, storage: Storage, folder?: string): DatasetOutput | undefined {
  const { run, intervalFolder } = ctx;
  if (run) {
    const owner = { ...ctx, run };
    if (folder !== undefined) return new RunOutput(owner, storage, folder, folder);
    return intervalFolder === undefined ? undefined : RunOutput.ofInterval(owner, storage, intervalFolder);
  }
  const base = folder ?? intervalFolder;
  return base === undefined ? undefined : new IntervalOutput(storage, base, ctx.idempotencyKey);
}
