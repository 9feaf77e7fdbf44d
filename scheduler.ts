import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { Command } from 'commander';
import { PROGRAM_DESCRIPTIONS } from './cli/program-descriptions.ts';
import { convergeResources } from './cli/converge-resources.ts';
import { pruneOptions, type WaitOptions, waitOption } from './cli/prune-options.ts';
import { describeResourceResult, isDone } from './cli/view/resource-changes.ts';
import { ResourceCompiler } from './compiler/compile-resources.ts';
import { compileResources, RESOURCE_FOLDER } from './compiler/project-resources.ts';
import { projectOf } from './compiler/read/project.ts';
import type { ResourceOptions } from './resources/run/compare.ts';
import { listBrokenFiles } from './compiler/read/broken-files.ts';
import { type Compilation, Compiler } from './compiler/compile.ts';
import { formatDiagnostic } from './compiler/mistakes/diagnostic.ts';
import { compileProject } from './compiler/project-pipelines.ts';
import { EnvironmentNotUsable } from './compiler/read/environments.ts';
import { PipelinesNotFound } from './compiler/read/load-pipelines.ts';
import { READY_LINES } from './lib/ready-lines.ts';
import { EXIT } from './lib/exit-code.ts';
import { endProcess, surviveCallbackErrors } from './lib/callback-errors.ts';
import { scrubberOf } from './connections/scrubber.ts';
import { loadEnvironment, SettingError, taskQueueOf } from './lib/environment.ts';
import { type Health, type HealthOptions, parsePort, serveHealth } from './lib/health-page.ts';
import { createLog, type Log } from './lib/logging.ts';
import { limitsOf } from './project/compile-context.ts';
import { followProject } from './project/follow-project.ts';
import { environmentOf, loadProject } from './project/load-project.ts';
import { connectClient, temporalState, TemporalUnavailable } from './temporal/connect.ts';
import { applyDeployment, listApplied } from './temporal/deployment/apply.ts';
import { type DeploymentChanges, diffDeployment } from './temporal/deployment/changes.ts';
import { reportProject } from './temporal/deployment/report-project.ts';
import { withholdWithoutWorkers } from './temporal/deployment/worker-check.ts';
import { ensureSearchAttributes } from './temporal/search-attributes.ts';
import { sensorOf } from './workflows/plan/sensor.ts';
import { errorText } from './workflows/plan/values/error-text.ts';

interface Options extends HealthOptions, ResourceOptions, WaitOptions {
  pipelines: string;
  resources: string;
  taskQueue: string;
  env?: string;
  watch: boolean;
}

/** Editors write a file in several steps; changes within this many milliseconds count as one edit. */
const SETTLE = 200;
/** Reverts manual changes in Temporal at this interval, even without an edit, in milliseconds. */
const RECONCILE = 60_000;
/** Checks again after this time whether the missing workers are there, in milliseconds. */
const RETRY = 5_000;

/** The last logged report, so that it is not repeated. */
let reported = '';
let lastSummary = '';
let lastWithheld = '';
let lastResources = '';

const settings = loadEnvironment();
let project = await loadProject(settings).catch(endProcess);
const environment = environmentOf(project, settings);
const log = createLog('scheduler', 'info', scrubberOf(environment, project.connections));

await waitOption(pruneOptions(new Command('sluice scheduler')), '30s')
  .description(PROGRAM_DESCRIPTIONS.scheduler)
  .option('-p, --pipelines <path>', 'folder of pipelines', join(project.root, 'pipelines'))
  .option('--resources <path>', 'folder of declared resources', join(project.root, RESOURCE_FOLDER))
  .option('--task-queue <name>', "task queue of the pipelines' workers; only its schedules are touched", taskQueueOf(environment))
  .option('--env <name>', 'the environment whose variables pipelines read: environments/<name>.yaml', environment.SLUICE_ENV)
  .option('-w, --watch', 'stay, and follow edits', false)
  .option('--health-host <host>', 'with --watch: address of the health pages', '127.0.0.1')
  .option('--health-port <port>', 'with --watch: port of the health pages, /healthz and /readyz; 0 takes a free one', parsePort, 0)
  .addHelpText('after', '\nExample:\n  sluice scheduler --watch')
  .action(main)
  .parseAsync()
  .catch(endProcess);

async function main(options: Options): Promise<void> {
  surviveCallbackErrors(log);
  try {
    const client = await connectClient(environment);
    try {
      await ensureSearchAttributes(client);
      if (options.watch) await follow(client, options);
      else process.exitCode = (await apply(client, options)).isDone ? EXIT.ok : EXIT.invalidPipeline;
    } finally {
      await client.connection.close();
    }
  } catch (error) {
    if (!(
      error instanceof TemporalUnavailable ||
      error instanceof PipelinesNotFound ||
      error instanceof EnvironmentNotUsable ||
      error instanceof SettingError
    ))
      throw error;
    log.error(error.message);
    process.exitCode = error instanceof TemporalUnavailable ? EXIT.cannotConnect : EXIT.failed;
  }
}

/**
 * Applies the files once. Reports bad files and applies the others.
 * @returns `isDone`: all files were valid and all changes succeeded
 */
async function apply(
  client: Client,
  { pipelines, resources, taskQueue, env, ...options }: Options,
): Promise<{ readonly isDone: boolean; readonly waitsForWorkers: boolean }> {
  const limits = limitsOf(project, { ...environment, SLUICE_TASK_QUEUE: taskQueue });
  const compiled = await compileProject([pipelines], Compiler.of(project), limits, env);
  const { compilations, files, plans } = compiled;
  report(
    compilations.filter(({ plan }) => !plan),
    log,
  );
  const areResourcesDone = await applyResources(client, [resources], limits, { ...options, taskQueue, ...(env !== undefined && { env }) });
  const applied = await listApplied(client, taskQueue, compiled);
  const wanted = diffDeployment(compiled, applied, options);
  const changes = options.wait === false ? wanted : await withholdWithoutWorkers(client, taskQueue, wanted, options.wait);
  reportWithheld(changes);
  const waiting = changes.pipelines.filter(({ action, withheld }) => action !== 'delete' && withheld !== undefined);
  /** Why a change failed or waits for workers, by dag_id. */
  const failures = new Map(waiting.map(({ dagId, withheld = '' }) => [dagId, withheld]));
  let changed = false;
  await applyDeployment(client, taskQueue, changes, {
    onPipeline({ dagId, action, detail }, outcome) {
      changed = true;
      if ('failure' in outcome) {
        failures.set(dagId, outcome.failure);
        log.error(`${action} ${dagId} failed: ${outcome.failure}`);
        return;
      }
      log.info(`${action} ${dagId}`, { detail });
      for (const run of outcome.started) log.info(`started ${run}: it was due when its schedule was updated`);
      if (outcome.backfill !== undefined) log.info(`catches up ${dagId}: ${outcome.backfill}`);
    },
    onSensor({ id, action }, outcome) {
      changed = true;
      if (!('failure' in outcome)) return log.info(`${action} ${id}`);
      failures.set(sensorOf(id).dagId, outcome.failure);
      log.error(`${action} ${id} failed: ${outcome.failure}`);
    },
  });
  const broken = listBrokenFiles(files, compilations, failures);
  await reportProject(client, taskQueue, compiled, applied, changes, broken).catch((error: unknown) => {
    log.warn(`The monitor could not be given the list of pipelines: ${errorText(error)}`);
  });
  const summary = `${plans.length - waiting.length} of ${compilations.length} ${READY_LINES.scheduler}`;
  if (summary !== lastSummary || changed) log.info(summary, { taskQueue });
  lastSummary = summary;
  const withheld = [...changes.pipelines, ...changes.sensors].filter((change) => change.withheld !== undefined);
  return {
    isDone: areResourcesDone && compiled.broken.length === 0 && failures.size === 0 && withheld.length === 0,
    waitsForWorkers: withheld.some(({ action }) => action !== 'delete'),
  };
}

/**
 * Makes the servers of declared resources agree with their files. Logs what was not done once, until it changes.
 * @returns whether everything is as declared
 */
async function applyResources(
  client: Client,
  paths: readonly string[],
  limits: ReturnType<typeof limitsOf>,
  { taskQueue, env, ...options }: Pick<Options, 'taskQueue' | 'env' | keyof ResourceOptions>,
): Promise<boolean> {
  const declared = await compileResources(paths, projectOf(paths[0] ?? project.root), new ResourceCompiler(project.resources), limits, env);
  const results = await convergeResources({ client, taskQueue, project, environment }, declared, options).catch((error: unknown) => {
    log.error(`The resources were not applied: ${errorText(error)}`);
    return undefined;
  });
  if (!results) return false;
  for (const result of results.filter(isDone)) log.info(describeResourceResult(result));
  const problems = [
    ...declared.compilations.flatMap(({ diagnostics }) => diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic)),
    ...results.filter((result) => !isDone(result)).map(describeResourceResult),
  ];
  const text = problems.join('\n');
  if (text !== lastResources) for (const problem of problems) log.warn(problem);
  lastResources = text;
  return problems.length === 0;
}

/** Logs changes that are not made, unless they are the same as last time. */
function reportWithheld({ pipelines, sensors }: DeploymentChanges): void {
  const lines = [
    ...pipelines.map(({ dagId, detail, ...change }) => ({ ...change, what: `${dagId} (${detail})` })),
    ...sensors.map(({ id, ...change }) => ({ ...change, what: id })),
  ].flatMap(({ action, what, withheld }) => (withheld === undefined ? [] : [`not carried out: ${action} ${what}: ${withheld}`]));
  const text = lines.join('\n');
  if (text !== lastWithheld) for (const line of lines) log.warn(line);
  lastWithheld = text;
}

/** Logs mistakes in the files, unless they are the same as last time. */
function report(bad: readonly Compilation[], to: Log): void {
  const mistakes = JSON.stringify(bad.map(({ diagnostics }) => diagnostics));
  if (mistakes === reported) return;
  reported = mistakes;
  for (const { file, diagnostics } of bad) {
    to.error(
      `${file} is left as it was: ${diagnostics.length} mistake${diagnostics.length === 1 ? '' : 's'}\n${diagnostics.map(formatDiagnostic).join('\n')}`,
    );
  }
}

/** Applies now, after each edit and once a minute, until SIGINT or SIGTERM. Retries during outages of Temporal. */
async function follow(client: Client, options: Options): Promise<void> {
  const stop = new AbortController();
  let hasApplied = false;
  const health = await serveHealth(options, log, () => checkHealth(client, hasApplied));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  let wake = (): void => undefined;
  for (const folder of [options.pipelines, ...(existsSync(options.resources) ? [options.resources] : [])])
    watch(folder, { recursive: true, signal: stop.signal }, () => wake()).on('error', (error) =>
      log.error(`Cannot watch ${folder}: ${error.message}`),
    );
  void followProject(project, settings, stop.signal, {
    async onChange(changed) {
      project = changed;
      log.info(READY_LINES.reloaded);
      wake();
    },
    onProblem: (reason) => log.error(`The project was not reloaded: ${reason}`),
  });
  while (!stop.signal.aborted) {
    const edited = new Promise<void>((resolve) => (wake = resolve));
    let interval = RECONCILE;
    try {
      if ((await apply(client, options)).waitsForWorkers) interval = RETRY;
      hasApplied = true;
    } catch (error) {
      hasApplied = false;
      log.error(`Not applied: ${errorText(error)}. Trying again.`);
    }
    await sleep(interval, stop.signal, edited);
    if (!stop.signal.aborted) await sleep(SETTLE, stop.signal);
  }
  health.close();
  log.info('stopped');
}

/** Healthy: Temporal answers. Ready: the current files are applied. */
async function checkHealth(client: Client, hasApplied: boolean): Promise<Health> {
  const temporal = await temporalState(client);
  const isHealthy = temporal === 'answers';
  return { isHealthy, isReady: isHealthy && hasApplied, details: { temporal } };
}

/** Waits until `ms` milliseconds pass, the signal is aborted or `early` resolves; cleans up its timer and listeners. */
function sleep(ms: number, signal: AbortSignal, early?: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    void early?.then(end);
  });
}
