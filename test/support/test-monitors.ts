import { connectionsFrom } from '../../connections/connections.ts';
import type { Environment } from '../../lib/environment.ts';
import { createMonitors } from '../../monitors/create-monitors.ts';
import { createMonitorWorkers, type MonitorGroup } from '../../temporal/monitors/monitors.ts';

/** Creates the monitors of a deployment like `worker.ts --monitors`, without a log. Does not start them. */
export function createTestMonitors(environment: Environment, taskQueue: string): Promise<MonitorGroup> {
  return createMonitorWorkers(
    environment,
    [taskQueue],
    (facts) => createMonitors(facts, connectionsFrom(environment), environment),
    () => undefined,
  );
}
