import { Command } from 'commander';
import { chooseEnvironment, openProject, reportFailure } from './cli/command-context.ts';
import type * as operations from './cli/commands/operate.ts';
import { programCommand } from './cli/program-command.ts';
import { refuseUnknownCommands } from './cli/unknown-command.ts';
import { endWithReader } from './lib/terminal.ts';
import packageJson from './package.json' with { type: 'json' };

/** Commands that work where the project cannot be loaded, or where there is none yet. */
const NEED_NO_PROJECT = new Set(['init', 'new', 'explain', 'setup', 'codec-server', 'stack', 'worker', 'scheduler', 'dev']);

const program = new Command('sluice')
  .description('Run YAML pipelines on Temporal.')
  .version(packageJson.version, '-V, --version', 'print the version')
  .addHelpText(
    'after',
    `
Examples:
  sluice validate                        report every mistake in pipelines/, with its location
  sluice plan                            show what would change in Temporal, and the next runs
  sluice run product_category_etl -w     start a run and follow it

Data goes to stdout, progress to stderr. Exit codes: 0 success, 1 failure, 2 changes pending, 3 mistakes in YAML, 4 cannot connect.`,
  )
  .option('--env <name>', 'the environment whose variables pipelines read: environments/<name>.yaml; default: SLUICE_ENV')
  .hook('preAction', async (command) => {
    const { env } = command.opts<{ env?: string }>();
    if (env !== undefined) chooseEnvironment(env);
    if (!NEED_NO_PROJECT.has(command.args[0] ?? '')) await openProject();
  })
  .showHelpAfterError('(sluice --help lists the commands and options)');

/** Loads only the called command: most do not need Temporal's client, which is slow to load. */
const COMMANDS = {
  validate: () => import('./cli/commands/validate.ts'),
  plan: () => import('./cli/commands/plan.ts'),
  apply: () => import('./cli/commands/apply.ts'),
  test: () => import('./cli/commands/test.ts'),
  run: () => import('./cli/commands/run.ts'),
  runs: () => import('./cli/commands/runs.ts'),
  show: () => import('./cli/commands/show.ts'),
  graph: () => import('./cli/commands/graph.ts'),
  schema: () => import('./cli/commands/schema.ts'),
  import: () => import('./cli/commands/import.ts'),
  rerun: () => import('./cli/commands/rerun.ts'),
  pause: () => operation('pause'),
  resume: () => operation('resume'),
  cancel: () => operation('cancel'),
  skip: () => operation('skip'),
  'mark-success': () => operation('markSuccess'),
  retry: () => operation('retry'),
  decide: () => import('./cli/commands/decide.ts'),
  backfill: () => import('./cli/commands/backfill.ts'),
  backfills: () => import('./cli/commands/backfills.ts'),
  ticks: () => import('./cli/commands/ticks.ts'),
  sensors: () => import('./cli/commands/sensors.ts'),
  'dead-letters': () => import('./cli/commands/dead-letters.ts'),
  incidents: () => import('./cli/commands/incidents.ts'),
  pools: () => import('./cli/commands/pools.ts'),
  models: () => import('./cli/commands/models.ts'),
  init: () => import('./cli/commands/init.ts'),
  new: () => import('./cli/commands/new.ts'),
  explain: () => import('./cli/commands/explain.ts'),
  types: () => import('./cli/commands/types.ts'),
  build: () => import('./cli/commands/build.ts'),
  worker: () => Promise.resolve({ command: programCommand('worker') }),
  scheduler: () => Promise.resolve({ command: programCommand('scheduler') }),
  dev: () => Promise.resolve({ command: programCommand('dev') }),
  setup: () => import('./cli/commands/setup.ts'),
  'codec-server': () => import('./cli/commands/codec-server.ts'),
  stack: () => Promise.resolve({ command: programCommand('stack') }),
  status: () => import('./cli/commands/status.ts'),
  doctor: () => import('./cli/commands/doctor.ts'),
  upgrade: () => import('./cli/commands/upgrade.ts'),
};

async function operation(name: keyof typeof operations): Promise<{ command: Command }> {
  return { command: (await import('./cli/commands/operate.ts'))[name] };
}

async function main(): Promise<void> {
  const called = process.argv[2] ?? '';
  const isVersion = called === '--version' || called === '-V';
  const loaders = Object.entries(COMMANDS).filter(([name]) => name === called || !(isVersion || Object.hasOwn(COMMANDS, called)));
  for (const { command } of await Promise.all(loaders.map(([, load]) => load()))) program.addCommand(command);
  refuseUnknownCommands(program);
  await program.parseAsync();
}

endWithReader();
main().catch(reportFailure);
