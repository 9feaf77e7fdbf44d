import { Command } from 'commander';
import { reportFailure } from './cli/command-context.ts';
import type * as operations from './cli/operate.ts';

const program = new Command('sluice')
  .description('Pipelines in YAML on Temporal.')
  .addHelpText(
    'after',
    `
Examples:
  sluice validate                        every mistake in pipelines/, with its place
  sluice plan                            what would change in Temporal, and the next runs
  sluice run product_category_etl -w     start a run and follow it

stdout is data, stderr is progress. Exit codes: 0 ok, 1 failed, 2 changes present, 3 mistakes in YAML, 4 cannot connect.`,
  )
  .showHelpAfterError('(sluice --help tells more)');

/** Only the command that is called is loaded: most need not wait for Temporal's client. */
const COMMANDS = {
  validate: () => import('./cli/validate.ts'),
  plan: () => import('./cli/plan.ts'),
  test: () => import('./cli/test.ts'),
  run: () => import('./cli/run.ts'),
  runs: () => import('./cli/runs.ts'),
  show: () => import('./cli/show.ts'),
  graph: () => import('./cli/graph.ts'),
  schema: () => import('./cli/schema.ts'),
  import: () => import('./cli/import.ts'),
  rerun: () => import('./cli/rerun.ts'),
  pause: () => operation('pause'),
  unpause: () => operation('unpause'),
  cancel: () => operation('cancel'),
  skip: () => operation('skip'),
  'mark-success': () => operation('markSuccess'),
  retry: () => operation('retry'),
  decide: () => import('./cli/decide.ts'),
  backfill: () => import('./cli/backfill.ts'),
  backfills: () => import('./cli/backfills.ts'),
  ticks: () => import('./cli/ticks.ts'),
  sensors: () => import('./cli/sensors.ts'),
  'dead-letters': () => import('./cli/dead-letters.ts'),
  incidents: () => import('./cli/incidents.ts'),
  pools: () => import('./cli/pools.ts'),
  models: () => import('./cli/models.ts'),
  init: () => import('./cli/init.ts'),
  explain: () => import('./cli/explain.ts'),
  setup: () => import('./cli/setup.ts'),
  'codec-server': () => import('./cli/codec-server.ts'),
  stack: () => import('./cli/stack.ts'),
  status: () => import('./cli/status.ts'),
  doctor: () => import('./cli/doctor.ts'),
};

async function operation(name: keyof typeof operations): Promise<{ command: Command }> {
  return { command: (await import('./cli/operate.ts'))[name] };
}

async function main(): Promise<void> {
  const called = process.argv[2] ?? '';
  const loaders = Object.entries(COMMANDS).filter(([name]) => name === called || !Object.hasOwn(COMMANDS, called));
  for (const { command } of await Promise.all(loaders.map(([, load]) => load()))) program.addCommand(command);
  await program.parseAsync();
}

main().catch(reportFailure);
