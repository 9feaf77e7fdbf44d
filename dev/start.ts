import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Client } from '@temporalio/client';
import { CATALOG } from '../activities/catalog.ts';
import { Compiler } from '../compiler/compile.ts';
import { formatDiagnostic } from '../compiler/mistakes/diagnostic.ts';
import { loadPipelines } from '../compiler/read/load-pipelines.ts';
import { formatTasks, runState, runView } from '../cli/view/run-view.ts';
import { type Environment, ROOT, stackHome, taskQueueOf } from '../lib/environment.ts';
import { EXIT } from '../lib/exit-code.ts';
import { connectionsFrom } from '../connections/connections.ts';
import { createProgress } from '../lib/progress.ts';
import { formatTable } from '../lib/table.ts';
import { writeError, writeOutput } from '../lib/terminal.ts';
import { connectClient } from '../temporal/connect.ts';
import { followRun, type RunEnd } from '../temporal/runs/follow-run.ts';
import { type RunReference, startManualRun } from '../temporal/runs/runs.ts';
import { ensureSearchAttributes } from '../temporal/search-attributes.ts';
import { runsUrl, runUrl } from '../temporal/web-ui.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { dataIntervalAt, iso } from '../workflows/plan/timetable/schedule.ts';
import { createDemoData } from './demo/demo-data.ts';
import { startStandIns } from './demo/stand-ins.ts';
import { createTopics } from './demo/topics.ts';
import { showTour } from './demo/tour.ts';
import { hideEnvironment } from './launch/hide-environment.mjs';
import { startSluiceProcess, type SluiceProcess } from './launch/sluice-process.ts';
import { type Stack, StackBusy, StackFailed, startStack } from './stack.ts';

const HELP = `npm start            starts everything, runs the demo pipeline, shows what an event and a discrepancy do, and stays up until Ctrl-C
npm start -- --once  ends after the demo pipeline, with its exit code

Data and logs are in .sluice/. \`sluice stack status\` shows what is running.`;

/** The pipeline of the first start, and the row count of its source table. */
const DEMO = { dagId: 'product_category_etl', table: 'dim_product_categories', rows: 20_000 };

const DAY_MS = 86_400_000;

// Programs that workers run could otherwise read the environment of this process.
hideEnvironment();
const progress = createProgress();
const home = stackHome();
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

const { values } = parseArgs({
  options: { once: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
});
if (values.help) process.stdout.write(`${HELP}\n`);
else process.exitCode = await main(values.once);

/** Starts everything in order, and always stops what it started in reverse order. */
async function main(once: boolean): Promise<number> {
  const cleanUp: (() => Promise<void>)[] = [];
  try {
    const stack = await startStack({ home, progress });
    cleanUp.push(() => stack.stop());
    if (stop.signal.aborted) return EXIT.ok;
    const missing = stack.parts.filter(({ state }) => state === 'missing');
    const settings: Environment = { ...stack.environment, ...process.env };
    await fillDemoData(stack, settings);
    const standIns = await startStandIns(home, settings);
    cleanUp.push(() => standIns.close());
    const environment: Environment = { ...settings, ...standIns.environment };
    if (stack.parts.some(({ name, state }) => name === 'kafka' && state === 'running')) await createTopics(environment);
    const codec = environment.SLUICE_CODEC_ENDPOINT === undefined ? [] : (['codec'] as const);
    for (const name of [...codec, 'worker', 'monitors', 'scheduler'] as const) {
      if (stop.signal.aborted) return EXIT.ok;
      const child = await startSluiceProcess(home, name, environment, progress, stop.signal);
      cleanUp.push(() => child.stop());
      if (!once) watchOver(child);
    }
    const client = await connectClient(environment);
    cleanUp.push(() => client.connection.close());
    const planOf = await demoPlans();
    const end = await runDemo(environment, client, planOf(DEMO.dagId));
    if (!once && !stop.signal.aborted) {
      const follow = (run: RunReference): Promise<RunEnd> => showRun(client, run);
      await showTour({ environment, client, progress, pagerDuty: standIns.pagerDuty, signal: stop.signal, planOf, follow, say });
    }
    if (missing.length > 0) say(missing.map(({ name, detail }) => `${name} is missing: ${detail}`).join('\n'));
    if (once || stop.signal.aborted) return end?.state === 'success' || stop.signal.aborted ? EXIT.ok : EXIT.failed;
    say('\nEverything stays up. Ctrl-C ends it; the data is kept for the next start.');
    await new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }));
    return EXIT.ok;
  } catch (error) {
    if (stop.signal.aborted) return EXIT.ok;
    const expected = error instanceof StackFailed || error instanceof StackBusy || error instanceof StartFailed;
    say(expected ? `\n${error.message}` : error instanceof Error ? (error.stack ?? error.message) : String(error));
    return EXIT.failed;
  } finally {
    const step = progress.step('Stopping');
    for (const each of cleanUp.reverse()) await each();
    step.done();
  }
}

/** Thrown when the start cannot continue; the message says why. */
class StartFailed extends Error {
  override readonly name = 'StartFailed';
}

/** Fills the databases of the local stack. Never writes to databases that the environment names. */
async function fillDemoData(stack: Stack, environment: Environment): Promise<void> {
  const postgres = stack.parts.find(({ name }) => name === 'postgres');
  if (postgres?.state !== 'running') return;
  const step = progress.step('Demo data');
  const connections = connectionsFrom(environment);
  const { categories, sales } = await createDemoData({
    source: connections.get('postgres_default', ['postgres']),
    warehouse: connections.get('redshift_default', ['postgres']),
    rows: DEMO.rows,
    day: iso(Date.now() - DAY_MS).slice(0, 10),
  });
  step.done(`${categories.toLocaleString('en')} product categories and ${sales.toLocaleString('en')} sales in the source database`);
}

/** The plans of pipelines/, by dag_id. */
async function demoPlans(): Promise<(dagId: string) => Plan> {
  const compiled = new Compiler(CATALOG).compileAll(await loadPipelines(join(ROOT, 'pipelines')));
  for (const { diagnostics } of compiled) for (const diagnostic of diagnostics) say(formatDiagnostic(diagnostic));
  return (dagId) => {
    const plan = compiled.find((each) => each.plan?.dagId === dagId)?.plan;
    if (!plan) throw new StartFailed(`pipelines/ has no good pipeline '${dagId}' to show.`);
    return plan;
  };
}

/** Runs the demo pipeline, shows it task by task, and prints where to look. */
async function runDemo(environment: Environment, client: Client, plan: Plan): Promise<RunEnd | undefined> {
  try {
    await ensureSearchAttributes(client);
    const interval = dataIntervalAt(plan.schedule, Date.now());
    const run = await startManualRun(client, plan, taskQueueOf(environment), interval, iso(Date.now()));
    say(`\nRun ${run.pipelineRunId}, data of ${interval.start} – ${interval.end}`);
    const end = await showRun(client, run);
    say(`\n${formatTasks(end.tasks)}\n`);
    writeOutput(`${whereToLook(environment, client.options.namespace, run, end)}\n`);
    return end;
  } catch (error) {
    if (stop.signal.aborted) return undefined;
    throw error;
  }
}

/** Follows a run task by task until it ends. */
function showRun(client: Client, run: RunReference): Promise<RunEnd> {
  return followRun(client, run, runView(progress), stop.signal);
}

function whereToLook(environment: Environment, namespace: string, run: RunReference, end: RunEnd): string {
  const rows = [
    ['Run', `${run.pipelineRunId}: ${runState(end)}`],
    ['Run in the UI', runUrl(environment, namespace, run) ?? ''],
    ['All runs in the UI', runsUrl(environment, namespace) ?? ''],
    ['Loaded table', `${DEMO.table} in the warehouse database; ${formatOutput(end)}`],
    ['Logs', join(home, 'logs')],
    ['Next', 'sluice --help'],
  ];
  return formatTable(['WHAT', 'WHERE'], rows);
}

function formatOutput(end: RunEnd): string {
  const output = end.tasks.at(-1)?.output as { rows?: number } | null | undefined;
  return output?.rows === undefined ? 'nothing loaded' : `${output.rows.toLocaleString('en')} rows`;
}

/** Stops everything when a process ends unexpectedly: a partial platform is not useful. */
function watchOver(child: SluiceProcess): void {
  void child.ended().then((reason) => {
    if (stop.signal.aborted) return;
    say(`\nThe ${child.name} ended: ${reason}. Its log: ${child.log}`);
    process.exitCode = EXIT.failed;
    stop.abort();
  });
}

function say(text: string): void {
  writeError(`${text}\n`);
}
