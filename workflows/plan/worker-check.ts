import { allTasks, type Plan } from './plan.ts';
import { sensorActivity, sensorQueue } from './sensor.ts';
import { activityType } from './tasks/activity-type.ts';
import { isActivity } from './tasks/no-activities.ts';

/** The workflow that checks whether the workers of a deployment know activities, with its activity. Wire data. */
export const WORKER_CHECK_WORKFLOW = 'SluiceWorkerCheck';
export const WORKER_CHECK_ACTIVITY = 'check_activities';

/** The failure of an attempt on a worker that does not know the activity itself. Wire data. */
export const ACTIVITY_UNKNOWN = 'ActivityUnknown';

/** The input of the workflow. Wire data. */
export interface WorkerCheckInput {
  readonly queues: readonly QueueActivities[];
  /** How long to wait for workers that know more than those that are there, in milliseconds. */
  readonly waitMs: number;
}

/** Activities on a task queue. Wire data. */
export interface QueueActivities {
  readonly queue: string;
  readonly activities: readonly string[];
}

/** The answer of a task queue's workers. Wire data. */
export interface QueueAnswer {
  readonly queue: string;
  /** The activities that none of its workers knows. */
  readonly missing: readonly string[];
  /** Whether a worker took part. */
  readonly isPolled: boolean;
}

/** The activities that a plan needs, by task queue: its task types, and its triggers' sensors. @param taskQueue of the deployment */
export function activitiesOf(plan: Plan, taskQueue: string): ReadonlyMap<string, ReadonlySet<string>> {
  const needed = new Map<string, Set<string>>();
  const add = (queue: string, activity: string): void => {
    const known = needed.get(queue);
    if (known) known.add(activity);
    else needed.set(queue, new Set([activity]));
  };
  for (const task of allTasks(plan)) if (isActivity(task.type)) add(task.queue ?? taskQueue, activityType(task));
  for (const { type } of plan.triggers ?? []) add(sensorQueue(taskQueue), sensorActivity(type));
  return needed;
}
