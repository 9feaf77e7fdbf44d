import { CATALOG } from '../../activities/catalog.ts';
import { createActivities } from '../../activities/create-activities.ts';
import { outputStoreFrom } from '../../activities/output-store.ts';
import { connectionsFrom } from '../../lib/connections.ts';
import { loadEnvironment } from '../../lib/environment.ts';
import { createLog } from '../../lib/logging.ts';
import { secretsOf } from '../../lib/scrub.ts';
import { TRIGGERS } from '../../sensors/catalog.ts';
import { createSensors } from '../../sensors/create-sensors.ts';
import { createWorkers, installRuntime } from '../../temporal/worker-process.ts';

/**
 * What `worker.ts` is for one task queue: `worker-child.ts <task queue>`. Says `ready`, and answers each message with what it costs: its
 * CPU since it began, its resident memory, and its sockets, which are those of Kafka's client.
 */
const [queue = ''] = process.argv.slice(2);
const environment = loadEnvironment();
installRuntime(createLog('bench worker', 'error'));
const connections = connectionsFrom(environment);
const workers = await createWorkers(
  environment,
  [queue],
  (runs) =>
    createActivities(CATALOG, { connections, secrets: secretsOf(environment), outputs: outputStoreFrom(environment, connections), runs }),
  (starts) => createSensors(TRIGGERS, { connections, starts }),
);
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  process.send?.({ cpuMs: (user + system) / 1_000, bytes: process.memoryUsage.rss(), sockets });
});
process.once('SIGTERM', () => workers.shutdown());
process.send?.('ready');
await workers.run();
process.exit();
