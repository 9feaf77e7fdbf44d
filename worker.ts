import { createServer, type Server } from 'node:http';
import { Command, InvalidArgumentError } from 'commander';
import { CATALOG } from './activities/catalog.ts';
import { createActivities } from './activities/create-activities.ts';
import { outputStoreFrom } from './activities/output-store.ts';
import { connectionsFrom } from './lib/connections.ts';
import { EXIT } from './lib/exit-code.ts';
import { loadEnvironment, taskQueueOf } from './lib/environment.ts';
import { createLog, type Log, LOG_LEVELS, type LogLevel } from './lib/logging.ts';
import { TRIGGERS } from './sensors/catalog.ts';
import { createSensors } from './sensors/create-sensors.ts';
import { TemporalUnavailable } from './temporal/connect.ts';
import { createWorkers, installRuntime, type WorkerGroup } from './temporal/worker-process.ts';

interface Options {
  queue: string[];
  healthHost: string;
  healthPort: number;
  logLevel: LogLevel;
}

const environment = loadEnvironment();

await new Command('worker')
  .description('Runs workflows and activities of the task queues it is given, until it is told to stop (SIGTERM or Ctrl-C).')
  .option('-q, --queue <name...>', 'task queues to serve', [taskQueueOf(environment)])
  .option('--health-host <host>', 'address of the health page', '127.0.0.1')
  .option('--health-port <port>', 'port of the health page, /healthz; 0 takes a free one', parsePort, 0)
  .option('--log-level <level>', LOG_LEVELS.join(', '), 'info')
  .addHelpText('after', '\nExample:\n  npx tsx worker.ts --queue sluice --queue gpu --health-port 8080')
  .action(main)
  .parseAsync();

async function main(options: Options): Promise<void> {
  const log = createLog('worker', options.logLevel);
  installRuntime(log);
  let workers: WorkerGroup;
  try {
    const connections = connectionsFrom(environment);
    const activities = createActivities(CATALOG, connections, outputStoreFrom(environment, connections));
    workers = await createWorkers(environment, options.queue, activities, (starts) => createSensors(TRIGGERS, { connections, starts }));
  } catch (error) {
    if (!(error instanceof TemporalUnavailable)) throw error;
    log.error(error.message);
    process.exitCode = EXIT.cannotConnect;
    return;
  }
  const health = await serveHealth(workers, options, log);
  const stop = (signal: string): void => {
    log.info(`${signal}: finishing what is running`);
    workers.shutdown();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  log.info('ready', { queues: options.queue, tasks: CATALOG.map(({ type }) => type) });
  try {
    await workers.run();
    log.info('stopped');
  } finally {
    health.close();
  }
}

/** `GET /healthz`: 200 while every queue is polled, 503 else. */
async function serveHealth(workers: WorkerGroup, { healthHost, healthPort }: Options, log: Log): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url !== '/healthz') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('The health page is /healthz.\n');
      return;
    }
    const states = Object.fromEntries(workers.workers.map((worker): [string, string] => [worker.options.taskQueue, worker.getState()]));
    const healthy = Object.values(states).every((state) => state === 'RUNNING');
    response.writeHead(healthy ? 200 : 503, { 'content-type': 'application/json' }).end(`${JSON.stringify({ healthy, queues: states })}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(healthPort, healthHost, resolve);
  });
  const address = server.address();
  if (typeof address === 'object' && address) log.info('health page', { url: `http://${healthHost}:${address.port}/healthz` });
  server.unref();
  return server;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
  return port;
}
