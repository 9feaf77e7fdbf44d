import type { TaskPlan } from '../plan.ts';

/**
 * The Temporal activity type of a task: its task type, with the version from the second one on, as in `greet@2`. A worker that has only
 * earlier versions does not know it, and gives the task back.
 */
export function activityType({ type, typeVersion = 1 }: Pick<TaskPlan, 'type' | 'typeVersion'>): string {
  return typeVersion === 1 ? type : `${type}@${typeVersion}`;
}

/** All activity types that a worker with this version of a task type carries out. */
export function activityTypes(type: string, version = 1): string[] {
  return Array.from({ length: version }, (_, index) => activityType({ type, typeVersion: index + 1 }));
}
