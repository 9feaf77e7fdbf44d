import { type ConnectionOf, type ConnectionType } from '../lib/connections.ts';
import { CONNECTION_FIELDS } from '../workflows/plan/connection-fields.ts';
import type { Json } from '../workflows/plan/json.ts';
import type { TaskInput } from '../workflows/plan/task-input.ts';
import type { TaskType } from './define-task.ts';
import { getConnection, runTask, type Surroundings } from './run-task.ts';

/**
 * The Temporal activities of `catalog`: activity type = task type. Connections are injected and opened by each task for itself.
 * Beside them `connection_fields`, which the interpreter asks where expressions read fields of connections.
 */
export function createActivities(
  catalog: readonly TaskType[],
  surroundings: Surroundings,
): Record<string, (input: TaskInput) => Promise<Json>> & { connection_fields: (names: readonly string[]) => Promise<Json> } {
  const tasks = catalog
    .filter(({ runtime }) => runtime === 'activity')
    .map((taskType): [string, (input: TaskInput) => Promise<Json>] => [taskType.type, (input) => runTask(taskType, surroundings, input)]);
  return Object.assign(Object.fromEntries(tasks), {
    connection_fields: async (names: readonly string[]) =>
      Object.fromEntries(names.map((name) => [name, fieldsOf(getConnection(surroundings.connections, name, ANY_TYPE))])),
  });
}

const ANY_TYPE: readonly ConnectionType[] = ['postgres', 'redshift', 'mysql', 'aws', 'kafka', 'spark', 'http'];

/** What expressions may see of a connection. */
function fieldsOf(connection: ConnectionOf<ConnectionType>): Json {
  const fields = Object.entries(connection).filter(([field]) => Object.hasOwn(CONNECTION_FIELDS, field));
  // The path of an address can be what lets in, as in the webhooks of Slack.
  return Object.fromEntries(fields.map(([field, value]) => [field, field === 'url' ? new URL(String(value)).origin : value]));
}
