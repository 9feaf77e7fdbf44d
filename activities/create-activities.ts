import { type ConnectionOf, type Connections, type ConnectionType } from '../lib/connections.ts';
import { CONNECTION_FIELDS } from '../workflows/plan/connection-fields.ts';
import type { Json } from '../workflows/plan/json.ts';
import type { TaskInput } from '../workflows/plan/task-input.ts';
import type { TaskType } from './define-task.ts';
import type { OutputStore } from './output-store.ts';
import { getConnection, runTask } from './run-task.ts';

/**
 * The Temporal activities of `catalog`: activity type = task type. Connections are injected and opened by each task for itself; `outputs`
 * takes outputs that are too large for a history, which are refused where there is none.
 * Beside them `connection_fields`, which the interpreter asks where expressions read fields of connections.
 */
export function createActivities(
  catalog: readonly TaskType[],
  connections: Connections,
  outputs?: OutputStore,
): Record<string, (input: TaskInput) => Promise<Json>> & { connection_fields: (names: readonly string[]) => Promise<Json> } {
  const tasks = catalog
    .filter(({ runtime }) => runtime === 'activity')
    .map((taskType): [string, (input: TaskInput) => Promise<Json>] => [
      taskType.type,
      (input) => runTask(taskType, { connections, outputs }, input),
    ]);
  return Object.assign(Object.fromEntries(tasks), {
    connection_fields: async (names: readonly string[]) =>
      Object.fromEntries(names.map((name) => [name, fieldsOf(getConnection(connections, name, ANY_TYPE))])),
  });
}

const ANY_TYPE: readonly ConnectionType[] = ['postgres', 'redshift', 'aws', 'kafka', 'spark'];

/** What expressions may see of a connection. */
function fieldsOf(connection: ConnectionOf<ConnectionType>): Json {
  return Object.fromEntries(Object.entries(connection).filter(([field]) => Object.hasOwn(CONNECTION_FIELDS, field)));
}
