import { Command } from 'commander';
import { createActivities } from './activities/run/create-activities.ts';
import { outputStoreFrom } from './activities/run/output-store.ts';
import { childUser } from './activities/support/programs/child-user.ts';
import { PROGRAM_DESCRIPTIONS } from './cli/program-descriptions.ts';
import { READY_LINES } from './lib/ready-lines.ts';
import { endProcess, surviveCallbackErrors } from './lib/callback-errors.ts';
import { connectionVariable } from './connections/parse.ts';
import { connectionsFrom } from './connections/connections.ts';
import { scrubberOf } from './connections/scrubber.ts';
import { EXIT } from './lib/exit-code.ts';
import { loadEnvironment, SettingError, taskQueueOf } from './lib/environment.ts';
import { type Health, parsePort, serveHealth } from './lib/health-page.ts';
import { createLog, type Log, LOG_LEVELS, type LogLevel } from './lib/logging.ts';
import { followProject } from './project/follow-project.ts';
import { environmentOf, loadProject, type Project } from './project/load-project.ts';
import { createSensors } from './sensors/run/create-sensors.ts';
import { announceEdit } from './monitors/announce-edit.ts';
import { createMonitors } from './monitors/create-monitors.ts';
import { callDeadMansSwitch } from './monitors/dead-man.ts';
import { watchTemporal } from './monitors/temporal-watch.ts';
import { CompleteChecks } from './temporal/monitors/complete-checks.ts';
import { askTemporal, temporalAddress, temporalState, TemporalUnavailable } from './temporal/connect.ts';
import { ensureMonitor } from './temporal/monitors/ensure-monitor.ts';
import { createMonitorWorkers } from './temporal/monitors/monitors.ts';
import { ensureSearchAttributes } from './temporal/search-attributes.ts';
import type { ConnectedWorkers } from './temporal/worker/worker-group.ts';
import { createWorkers, installRuntime, isSdkFailure } from './temporal/worker/worker-process.ts';

interface Options {
  queue: string[];
  healthHost: string;
  healthPort: number;
  logLevel: LogLevel;
  monitors: boolean;
  watch: boolean;
}

const settings = loadEnvironment();
const project = await loadProject(settings).catch(endProcess);
const environment = environmentOf(project, settings);

/** Connection for alerts that belong to no pipeline. */
const PLATFORM_ALERTS = 'pagerduty_default';
/** Feed the dead man's switch only if everything was checked within this time, in milliseconds. */
const MAX_CHECK_AGE_MS = 120_000;

await new Command('sluice worker')
  .description(PROGRAM_DESCRIPTIONS.worker)
  .option('-q, --queue <name...>', 'task queues to serve', [taskQueueOf(environment)])
  .option('-m, --monitors', 'watch the pipelines of these queues instead of running them; start two such processes', false)
  .option('-w, --watch', 'reload the definitions of the project after each edit, without losing what is running', false)
  .option('--health-host <host>', 'address of the health pages', '127.0.0.1')
  .option('--health-port <port>', 'port of the health pages, /healthz and /readyz; 0 takes a free one', parsePort, 0)
  .option('--log-level <level>', LOG_LEVELS.join(', '), 'info')
  .addHelpText('after', '\nExample:\n  sluice worker --queue sluice --queue gpu --health-port 8080')
  .action(main)
  .parseAsync()
  .catch(endProcess);

async function main(options: Options): Promise<void> {
  const log = createLog('worker', options.logLevel, scrubberOf(environment, project.connections));
  surviveCallbackErrors(log, isSdkFailure);
  installRuntime(log);
  let current: RunningWorkers;
  try {
    current = await startWorkers(project, options, log);
  } catch (error) {
    if (!(error instanceof TemporalUnavailable || error instanceof SettingError)) throw error;
    log.error(error.message);
    // Exit explicitly: the SDK's log forwarding would keep the process alive.
    process.exit(error instanceof SettingError ? EXIT.failed : EXIT.cannotConnect);
  }
  const health = await serveHealth(options, log, () => checkHealth(current.workers));
  const stopping = new AbortController();
  const stop = (signal: string): void => {
    log.info(`${signal}: finishing what is running`);
    stopping.abort();
    current.stop();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  log.info(
    READY_LINES.worker,
    options.monitors ? { watches: options.queue } : { queues: options.queue, tasks: project.tasks.map(({ type }) => type) },
  );
  const runs = [current.workers.run().catch(endProcess)];
  if (options.watch) {
    void followProject(project, settings, stopping.signal, {
      async onChange(changed) {
        const previous = current;
        current = await startWorkers(changed, options, log);
        runs.push(current.workers.run().catch(endProcess));
        // It finishes its running tasks, or hands them to the new one, which already accepts tasks.
        previous.stop();
        if (stopping.signal.aborted) current.stop();
        log.info(READY_LINES.reloaded, { ownTasks: [...changed.origins.tasks.keys()] });
      },
      onProblem: (reason) => log.error(`The project was not reloaded: ${reason}`),
    });
  }
  try {
    for (const run of runs) await run;
    log.info('stopped');
  } finally {
    health.close();
  }
  // Exit explicitly: a Kafka client whose broker dies during connect leaves an open socket.
  process.exit();
}

/** Workers with the definitions of a project. */
interface RunningWorkers {
  readonly workers: ConnectedWorkers;
  /** Makes them finish what is running, and end. */
  stop(): void;
}

async function startWorkers(project: Project, options: Options, log: Log): Promise<RunningWorkers> {
  const stopping = new AbortController();
  const workers = await (options.monitors
    ? createMonitorGroup(project, options, log, stopping.signal)
    : createPipelineGroup(project, options));
  return {
    workers,
    stop() {
      stopping.abort();
      workers.shutdown();
    },
  };
}

async function createPipelineGroup({ tasks, triggers, connections: types }: Project, { queue }: Options): Promise<ConnectedWorkers> {
  // Fail at startup on a wrong SLUICE_RUN_AS, instead of in each task.
  childUser(environment);
  const connections = connectionsFrom(environment, types);
  const secrets = scrubberOf(environment, types);
  const outputs = outputStoreFrom(environment, connections);
  return createWorkers(
    environment,
    queue,
    (runs) => createActivities(tasks, { connections, secrets, outputs, runs }),
    (starts) => createSensors(triggers, { connections, starts }),
    secrets,
  );
}

/** Creates the monitors of the queues, and what must not depend on Temporal: the check of Temporal itself, and the dead man's switch. */
async function createMonitorGroup(
  { channels, connections: types }: Project,
  { queue }: Options,
  log: Log,
  signal: AbortSignal,
): Promise<ConnectedWorkers> {
  const connections = connectionsFrom(environment, types);
  const secrets = scrubberOf(environment, types);
  const group = await createMonitorWorkers(
    environment,
    queue,
    (facts) => createMonitors(facts, connections, environment, { channels, secrets }),
    (before, after) => {
      announceEdit(connections, channels, before, after).catch((error: unknown) =>
        log.warn(`The edit of a pipeline was not announced: ${String(error)}`),
      );
    },
    secrets,
  );
  await ensureSearchAttributes(group.client);
  for (const each of queue) await ensureMonitor(group.client, each);
  if (environment[connectionVariable(PLATFORM_ALERTS)]) {
    const ask = (): Promise<void> => askTemporal(group.client);
    void watchTemporal({ ask, connections, secrets, connection: PLATFORM_ALERTS, name: temporalAddress(environment), log, signal });
  } else log.warn(`No pages are sent: ${connectionVariable(PLATFORM_ALERTS)} is not set`);
  const checks = new CompleteChecks(group.client, queue, log);
  void checks.follow(signal);
  const url = environment.SLUICE_DEAD_MANS_SWITCH;
  if (url) void callDeadMansSwitch(url, () => checks.areWithin(MAX_CHECK_AGE_MS), log, signal);
  return group;
}

/** Healthy: Temporal answers, and every queue is polled or finishes its last tasks. Ready: the worker accepts new tasks. */
async function checkHealth({ workers, client }: ConnectedWorkers): Promise<Health> {
  const temporal = await temporalState(client);
  const queues = Object.fromEntries(workers.map((worker): [string, string] => [worker.options.taskQueue, worker.getState()]));
  const areIn = (...states: readonly string[]): boolean =>
    temporal === 'answers' && Object.values(queues).every((state) => states.includes(state));
  return { isHealthy: areIn('RUNNING', 'STOPPING', 'DRAINING'), isReady: areIn('RUNNING'), details: { temporal, queues } };
}
