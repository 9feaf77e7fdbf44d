import type { ActivityCancellationDetails } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createActivities } from '../../activities/run/create-activities.ts';
import type { TaskType } from '../../activities/define-task.ts';
import type { DatasetReference } from '../../workflows/plan/datasets/dataset.ts';
import type { RunIdentity, TaskInput } from '../../workflows/plan/tasks/task-input.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import { neededConnections } from './needed-connections.ts';
import { taskDependencies } from './task-dependencies.ts';

export interface TaskRun {
  readonly params: JsonObject;
  /** `SLUICE_CONN_…`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly input?: DatasetReference;
  readonly output?: string;
  readonly interval?: { readonly start: string; readonly end: string };
  readonly runId?: string;
  /** The identity that the run sends; null for a run of an earlier release, which sends none. */
  readonly run?: Partial<RunIdentity> | null;
  readonly dagId?: string;
  readonly task?: string;
  readonly attempt?: number;
  /** The last resume point of the previous attempt. */
  readonly resumePoint?: Json;
  /** Called with the details of each heartbeat; `cancel` cancels the activity, or ends it for the reason in `details`. */
  readonly onProgress?: (point: Json | undefined, cancel: (details?: ActivityCancellationDetails) => void) => void;
}

/** Runs one attempt of a task like a worker, with an activity context and real servers. */
export async function runTask<R>(taskType: TaskType, run: TaskRun): Promise<R> {
  const { params, input, output, interval = { start: '2024-01-01T00:00:00.000Z', end: '2024-01-02T00:00:00.000Z' } } = run;
  const { runId: workflowId = 'dag/scheduled/2024-01-01' } = run;
  const environment = new MockActivityEnvironment(
    {
      activityType: taskType.type,
      activityId: run.task ?? 'task',
      workflowType: run.dagId ?? 'dag',
      workflowExecution: { workflowId, runId: 'run' },
      attempt: run.attempt ?? 1,
      startToCloseTimeoutMs: 600_000,
      ...(run.resumePoint !== undefined && { heartbeatDetails: run.resumePoint }),
    },
    // Tests expect tasks to fail, so do not log warnings.
    { logger: new DefaultLogger('ERROR') },
  );
  environment.on('heartbeat', (point: Json | undefined) => run.onProgress?.(point, (details) => environment.cancel('CANCELLED', details)));
  const activity = createActivities([taskType], taskDependencies(run.environment, undefined, neededConnections([taskType])))[taskType.type];
  if (!activity) throw new Error(`There is no activity for ${taskType.type}.`);
  return (await environment.run<[TaskInput], Json, typeof activity>(activity, {
    params,
    interval,
    rendered: true,
    ...(input && { input }),
    ...(output !== undefined && { output }),
    ...(run.run !== null && {
      run: {
        pipelineRunId: workflowId,
        dagId: run.dagId ?? 'dag',
        execution: `first of ${workflowId}`,
        startedAt: '2024-01-02T00:00:00.000Z',
        ...run.run,
      },
    }),
  })) as R;
}
