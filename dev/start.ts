import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runState, runView } from '../cli/view/run-view.ts';
import { type Environment, stackHome } from '../lib/environment.ts';
import { connectionsFrom } from '../connections/connections.ts';
import { EXIT } from '../lib/exit-code.ts';
import { createProgress } from '../lib/progress.ts';
import { formatTable } from '../lib/table.ts';
import { writeOutput } from '../lib/terminal.ts';
import { loadProject } from '../project/load-project.ts';
import { followRun, type RunEnd } from '../temporal/runs/follow-run.ts';
import type { RunReference } from '../temporal/runs/runs.ts';
import { runsUrl, runUrl } from '../temporal/web-ui.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { iso } from '../workflows/plan/timetable/schedule.ts';
import { startIntegrations } from './demo/integrations/start-integrations.ts';
import { createDemoData } from './demo/demo-data.ts';
import { type StandIns, startStandIns } from './demo/stand-ins.ts';
import { createTopics } from './demo/topics.ts';
import { showTour } from './demo/tour.ts';
import { hideEnvironment } from './launch/hide-environment.mjs';
import { type Platform, type PlatformOptions, runPlatform, say, StartFailed } from './platform.ts';
import { plansOf, runNow } from './project-runs.ts';
import type { Stack } from './stack.ts';

const HELP = `npm start            starts everything, runs the demo pipeline, shows what an event and a discrepancy do, and stays up until Ctrl-C
npm start -- --once  ends after the demo pipeline, with its exit code
npm start -- --tour integrations
                     shows examples/integrations/: RabbitMQ, Kafka Connect, old file formats and HTTP services, on real servers; with
                     --once it ends after the last stop, with exit code 0 if every stop succeeded

Data and logs are in .sluice/ (of the example for its tour). \`sluice stack status\` shows what is running.`;

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
  options: {
    once: { type: 'boolean', default: false },
    tour: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) process.stdout.write(`${HELP}\n`);
else if (values.tour === undefined) process.exitCode = await main(values.once);
else if (values.tour === 'integrations') process.exitCode = await startIntegrations({ progress, once: values.once, stop });
else {
  say(`There is no tour '${values.tour}'. Tours: integrations. Without --tour, the demo of pipelines/ is shown.`);
  process.exitCode = EXIT.failed;
}

/** Starts the platform with the demo's data, runs the demo pipeline and shows the tour. */
async function main(once: boolean): Promise<number> {
  const project = await loadProject();
  const plans = await plansOf(project, process.env);
  const planOf = (dagId: string): Plan => {
    const plan = plans.find((each) => each.dagId === dagId);
    if (!plan) throw new StartFailed(`pipelines/ has no good pipeline '${dagId}' to show.`);
    return plan;
  };
  let pagerDuty: StandIns['pagerDuty'];
  const options: PlatformOptions = {
    project,
    home,
    progress,
    once,
    stop,
    async prepare(stack, settings, onStop) {
      await fillDemoData(stack, settings);
      const standIns = await startStandIns(home, settings);
      onStop(() => standIns.close());
      pagerDuty = standIns.pagerDuty;
      if (stack.parts.some(({ name, state }) => name === 'kafka' && state === 'running'))
        await createTopics({ ...settings, ...standIns.environment });
      return standIns.environment;
    },
  };
  return runPlatform(options, async ({ environment, client }) => {
    const end = await runDemo({ environment, client }, planOf(DEMO.dagId));
    if (!once && !stop.signal.aborted) {
      const follow = (run: RunReference): Promise<RunEnd> => followRun(client, run, runView(progress), stop.signal);
      await showTour({ environment, client, progress, pagerDuty, signal: stop.signal, planOf, follow, say });
    }
    return end?.state === 'success';
  });
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

/** Runs the demo pipeline, shows it task by task, and prints where to look. */
async function runDemo({ environment, client }: Platform, plan: Plan): Promise<RunEnd | undefined> {
  try {
    const { run, end } = await runNow(plan, { environment, client }, progress, stop.signal);
    writeOutput(`${whereToLook(environment, client.options.namespace, run, end)}\n`);
    return end;
  } catch (error) {
    if (stop.signal.aborted) return undefined;
    throw error;
  }
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
