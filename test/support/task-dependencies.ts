import type { RunLookup } from '../../activities/run/run-lookup.ts';
import type { TaskDependencies } from '../../activities/run/run-task.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { scrubberOf } from '../../connections/scrubber.ts';
import type { Environment } from '../../lib/environment.ts';

const NO_RUNS: RunLookup = {
  find: () => Promise.resolve([]),
  taskState: () => Promise.resolve(undefined),
  isUnderWay: () => Promise.resolve(false),
};

/** The dependencies that a worker with this environment passes to its tasks. */
export function taskDependencies(environment: Environment, runs: RunLookup = NO_RUNS): TaskDependencies {
  return { connections: connectionsFrom(environment), secrets: scrubberOf(environment), outputs: undefined, runs };
}
