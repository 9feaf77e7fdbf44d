import type { TaskType } from '../../activities/define-task.ts';
import { CONNECTIONS } from '../../connections/catalog.ts';
import type { ConnectionDefinition } from '../../connections/define-connection.ts';

/** The built-in connection types, and those that task types name by their definition. */
export function neededConnections(tasks: readonly TaskType[]): readonly ConnectionDefinition[] {
  const kinds = tasks.flatMap(({ connections }) => Object.values(connections).flatMap(({ types }) => types));
  return [...CONNECTIONS, ...new Set(kinds.filter((kind) => typeof kind !== 'string'))];
}
