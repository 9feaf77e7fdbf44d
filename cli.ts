import { Command } from 'commander';
import { reportFailure } from './cli/command-context.ts';
import { doctorCommand } from './cli/doctor.ts';
import { explainCommand } from './cli/explain.ts';
import { planCommand } from './cli/plan.ts';
import { runCommand } from './cli/run.ts';
import { runsCommand } from './cli/runs.ts';
import { schemaCommand } from './cli/schema.ts';
import { showCommand } from './cli/show.ts';
import { stackCommand } from './cli/stack.ts';
import { validateCommand } from './cli/validate.ts';

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

for (const command of [
  validateCommand,
  planCommand,
  runCommand,
  runsCommand,
  showCommand,
  schemaCommand,
  explainCommand,
  stackCommand,
  doctorCommand,
]) {
  program.addCommand(command);
}

await program.parseAsync().catch(reportFailure);
