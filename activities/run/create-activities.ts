import type { Json } from '../../workflows/plan/values/json.ts';
import { activityTypes } from '../../workflows/plan/tasks/activity-type.ts';
import type { TaskInput } from '../../workflows/plan/tasks/task-input.ts';
import type { TaskType } from '../define-task.ts';
import { asTaskFailure, runTask, type TaskDependencies } from './run-task.ts';

/**
 * The Temporal activities of `catalog`, named by task type and version. Each task opens its own connections.
 * Also includes `connection_fields`, which the interpreter calls for expressions that read connection fields.
 */
export function createActivities(
  catalog: readonly TaskType[],
  dependencies: TaskDependencies,
): Record<string, (input: TaskInput) => Promise<Json>> & { connection_fields: (names: readonly string[]) => Promise<Json> } {
  const tasks = catalog
    .filter(({ runtime }) => runtime === 'activity')
    .flatMap((taskType) => {
      const run = (input: TaskInput): Promise<Json> => runTask(taskType, dependencies, input);
      return activityTypes(taskType.type, taskType.version).map((name) => [name, run] as const);
    });
  return Object.assign(Object.fromEntries(tasks), {
    connection_fields: async (names: readonly string[]) =>
      Object.fromEntries(names.map((name) => [name, asTaskFailure(() => dependencies.connections.readable(name))])),
  });
}
