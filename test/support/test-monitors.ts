import { connectionsFrom } from '../../connections/connections.ts';
import type { Environment } from '../../lib/environment.ts';
import { createMonitors } from '../../monitors/create-monitors.ts';
import { createMonitorWorkers, type MonitorGroup } from '../../temporal/monitors/monitors.ts';

/** The monitors of a deployment, as `worker.ts --monitors` puts them together, without a log. Not running yet. */
export function createTestMonitors(environment: Environment, taskQueue: string): Promise<MonitorGroup> {
  return createMonitorWorkers(
    environment,
    [taskQueue],
    (facts) => createMonitors(facts, connectionsFrom(environment), environment),
    () => undefined,
  );
}
