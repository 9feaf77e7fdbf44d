import { Runtime } from '@temporalio/worker';
import { connectionsFrom } from '../../connections/connections.ts';
import { loadEnvironment } from '../../lib/environment.ts';
import { createMonitors } from '../../monitors/create-monitors.ts';
import { ensureMonitor } from '../../temporal/monitors/ensure-monitor.ts';
import { createMonitorWorkers } from '../../temporal/monitors/monitors.ts';
import { answer, cpuMs } from '../child.ts';

/** The cost of a monitor since its start, and its current usage. */
export interface MonitorWeight {
  readonly cpuMs: number;
  readonly requests: number;
  readonly bytes: number;
}

/**
 * A monitor like `worker.ts --monitors`, with measurement: `monitor-child.ts <task queue> <port>`. Counts requests with the SDK core's
 * metrics, including long polls.
 */
const [queue = '', port = ''] = process.argv.slice(2);
const bindAddress = `127.0.0.1:${port}`;
Runtime.install({ telemetryOptions: { metrics: { prometheus: { bindAddress } } }, shutdownSignals: [] });
const environment = loadEnvironment();
const group = await createMonitorWorkers(
  environment,
  [queue],
  (facts) => createMonitors(facts, connectionsFrom(environment), environment),
  () => undefined,
);
await ensureMonitor(group.client, queue);
process.once('SIGTERM', () => group.shutdown());
answer(weigh);
await group.run();
process.exit();

async function weigh(): Promise<MonitorWeight> {
  const text = await (await fetch(`http://${bindAddress}/metrics`)).text();
  const requests = [...text.matchAll(/^temporal_(?:long_)?request(?:_total)?\{[^}]*\} (\d+)/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
  return { cpuMs: cpuMs(), requests, bytes: process.memoryUsage.rss() };
}
