import { DefaultLogger } from '@temporalio/worker';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities } from '../../activities/run/create-activities.ts';
import { sparkJob } from '../../activities/spark-job.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { TaskInput } from '../../workflows/plan/tasks/task-input.ts';
import { taskDependencies } from './task-dependencies.ts';

export interface SparkAttemptOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly input: Omit<TaskInput, 'interval'>;
  /** The task as `run/task`: attempts with the same name belong together. */
  readonly workflowId: string;
  readonly runId?: string;
  readonly attempt?: number;
  readonly timeoutMs?: number;
  readonly resumePoint?: Json;
}

export interface SparkAttempt {
  readonly activity: MockActivityEnvironment;
  readonly result: Promise<Json>;
  /** The log lines of the activity so far, with their level. */
  readonly log: string[];
  /** The recorded progress so far. */
  readonly progress: Json[];
}

/** Runs one attempt of a `spark_job` in this process, like a worker. */
export function startSparkAttempt(options: SparkAttemptOptions): SparkAttempt {
  const log: string[] = [];
  const progress: Json[] = [];
  const logger = new DefaultLogger('TRACE', ({ level, message, meta }) => {
    // Omit Temporal's own fields, which are the same in each line.
    const { pid } = (meta ?? {}) as { pid?: number };
    log.push(`${level} ${message}${pid === undefined ? '' : ` pid=${pid}`}`);
  });
  const activity = new MockActivityEnvironment(
    {
      activityId: 'task',
      attempt: options.attempt ?? 1,
      heartbeatDetails: options.resumePoint,
      heartbeatTimeoutMs: 15_000,
      startToCloseTimeoutMs: options.timeoutMs ?? 600_000,
      workflowExecution: { workflowId: options.workflowId, runId: options.runId ?? 'run' },
    },
    { logger },
  );
  activity.on('heartbeat', (point: Json | undefined) => {
    if (point !== undefined) progress.push(point);
  });
  const run = createActivities([sparkJob], taskDependencies(options.environment))['spark_job'];
  if (!run) throw new Error('the activity is not there');
  const interval = { start: '2024-01-01T00:00:00.000Z', end: '2024-01-02T00:00:00.000Z' };
  const result: Promise<Json> = activity.run(run, { interval, ...options.input });
  // The test awaits the result later; until then a rejection must not be unhandled.
  result.catch(() => undefined);
  return { activity, result, log, progress };
}
