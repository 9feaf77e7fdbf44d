import type { RunLookup } from '../../activities/run/run-lookup.ts';
import type { TaskDependencies } from '../../activities/run/run-task.ts';
import { CONNECTIONS } from '../../connections/catalog.ts';
import type { ConnectionDefinition } from '../../connections/define-connection.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { scrubberOf } from '../../connections/scrubber.ts';
import type { Environment } from '../../lib/environment.ts';

const NO_RUNS: RunLookup = {
  find: () => Promise.resolve([]),
  taskState: () => Promise.resolve(undefined),
  isUnderWay: () => Promise.resolve(false),
};

/**
 * The dependencies that a worker with this environment passes to its tasks.
 * @param types the connection types; default: the built-in ones
 */
export function taskDependencies(
  environment: Environment,
  runs: RunLookup = NO_RUNS,
  types: readonly ConnectionDefinition[] = CONNECTIONS,
): TaskDependencies {
  return { connections: connectionsFrom(environment, types), secrets: scrubberOf(environment, types), outputs: undefined, runs };
}
