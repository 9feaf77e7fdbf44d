import { createServer, type Server } from 'node:http';
import { Command, InvalidArgumentError } from 'commander';
import { CATALOG } from './activities/catalog.ts';
import { createActivities } from './activities/create-activities.ts';
import { outputStoreFrom } from './activities/output-store.ts';
import { surviveCallbackErrors } from './lib/callback-errors.ts';
import { connectionsFrom, connectionVariable } from './lib/connections.ts';
import { EXIT } from './lib/exit-code.ts';
import { loadEnvironment, SettingError, taskQueueOf } from './lib/environment.ts';
import { createLog, type Log, LOG_LEVELS, type LogLevel } from './lib/logging.ts';
import { writeError } from './lib/terminal.ts';
import { TRIGGERS } from './sensors/catalog.ts';
import { createSensors } from './sensors/create-sensors.ts';
import { announceEdit } from './monitors/announce-edit.ts';
import { createMonitors } from './monitors/create-monitors.ts';
import { callDeadMansSwitch } from './monitors/dead-man.ts';
import { secretsOf } from './lib/scrub.ts';
import { watchTemporal } from './monitors/temporal-watch.ts';
import { CompleteChecks } from './temporal/complete-checks.ts';
import { askTemporal, temporalAddress, TemporalUnavailable } from './temporal/connect.ts';
import { ensureMonitor } from './temporal/ensure-monitor.ts';
import { createMonitorWorkers } from './temporal/monitors.ts';
import { ensureSearchAttributes } from './temporal/search-attributes.ts';
import type { WorkerGroup } from './temporal/worker-group.ts';
import { createWorkers, installRuntime, isSdkFailure } from './temporal/worker-process.ts';

interface Options {
  queue: string[];
  healthHost: string;
  healthPort: number;
  logLevel: LogLevel;
  monitors: boolean;
}

const environment = loadEnvironment();

/** The connection of whom is told of what is not about one pipeline. */
const TOLD = 'pagerduty_default';
/** Feed the dead man's switch only if everything was checked within this time, in milliseconds. */
const MAX_CHECK_AGE_MS = 120_000;

await new Command('worker')
  .description('Runs, or watches, the pipelines of the task queues it is given, until it is told to stop (SIGTERM or Ctrl-C).')
  .option('-q, --queue <name...>', 'task queues to serve', [taskQueueOf(environment)])
  .option('-m, --monitors', 'watch the pipelines of these queues instead of running them; start two such processes', false)
  .option('--health-host <host>', 'address of the health page', '127.0.0.1')
  .option('--health-port <port>', 'port of the health page, /healthz; 0 takes a free one', parsePort, 0)
  .option('--log-level <level>', LOG_LEVELS.join(', '), 'info')
  .addHelpText('after', '\nExample:\n  npm run worker -- --queue sluice --queue gpu --health-port 8080')
  .action(main)
  .parseAsync()
  .catch(endProcess);

/** An error of the worker itself, such as a fatal one of the Temporal SDK: it must not pass for one of a callback, which a worker survives. */
function endProcess(error: unknown): never {
  writeError(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(EXIT.failed);
}

async function main(options: Options): Promise<void> {
  const log = createLog('worker', options.logLevel);
  surviveCallbackErrors(log, isSdkFailure);
  installRuntime(log);
  let workers: WorkerGroup;
  const stopping = new AbortController();
  try {
    workers = await (options.monitors ? createMonitorGroup(options, log, stopping.signal) : createPipelineGroup(options));
  } catch (error) {
    if (!(error instanceof TemporalUnavailable || error instanceof SettingError)) throw error;
    log.error(error.message);
    process.exitCode = error instanceof SettingError ? EXIT.failed : EXIT.cannotConnect;
    return;
  }
  const health = await serveHealth(workers, options, log);
  const stop = (signal: string): void => {
    log.info(`${signal}: finishing what is running`);
    stopping.abort();
    workers.shutdown();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  log.info('ready', options.monitors ? { watches: options.queue } : { queues: options.queue, tasks: CATALOG.map(({ type }) => type) });
  try {
    await workers.run();
    log.info('stopped');
  } finally {
    health.close();
  }
  // A Kafka client whose broker dies while it connects leaves a socket behind that keeps the process alive.
  process.exit();
}

async function createPipelineGroup({ queue }: Options): Promise<WorkerGroup> {
  const connections = connectionsFrom(environment);
  const outputs = outputStoreFrom(environment, connections);
  return createWorkers(
    environment,
    queue,
    (runs) => createActivities(CATALOG, { connections, secrets: secretsOf(environment), outputs, runs }),
    (starts) => createSensors(TRIGGERS, { connections, starts }),
  );
}

/** The monitors of the queues; and what must not depend on Temporal: the watch over Temporal itself, and the dead man's switch. */
async function createMonitorGroup({ queue }: Options, log: Log, signal: AbortSignal): Promise<WorkerGroup> {
  const connections = connectionsFrom(environment);
  const secrets = secretsOf(environment);
  const group = await createMonitorWorkers(
    environment,
    queue,
    (facts) => createMonitors(facts, connections, environment),
    (before, after) => {
      announceEdit(connections, before, after).catch((error: unknown) => log.warn(`Nobody was told of an edit: ${String(error)}`));
    },
  );
  await ensureSearchAttributes(group.client);
  for (const each of queue) await ensureMonitor(group.client, each);
  if (environment[connectionVariable(TOLD)]) {
    const ask = (): Promise<void> => askTemporal(group.client);
    void watchTemporal({ ask, connections, secrets, connection: TOLD, name: temporalAddress(environment), log, signal });
  } else log.warn(`Nobody is paged: ${connectionVariable(TOLD)} is not set`);
  const checks = new CompleteChecks(group.client, queue, log);
  void checks.follow(signal);
  const url = environment.SLUICE_DEAD_MANS_SWITCH;
  if (url) void callDeadMansSwitch(url, () => checks.areWithin(MAX_CHECK_AGE_MS), log, signal);
  return group;
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
