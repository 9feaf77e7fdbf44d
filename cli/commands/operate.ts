import { userInfo } from 'node:os';
import type { Client } from '@temporalio/client';
import { Command, Option } from 'commander';
import { cancelRun, operatePipeline, operateRun, operateTask } from '../../temporal/runs/operations.ts';
import { findRun } from '../../temporal/runs/find-run.ts';
import type { OperatorWord, RunOperation, TaskOperation } from '../../workflows/plan/runs/decision.ts';
import { say } from '../command-context.ts';
import { withClient } from '../with-client.ts';

/** Help for the argument of commands that concern one run. */
const RUN_ARGUMENT = 'as `sluice runs` shows it; or a dag_id where only one run fits';

/** What operators do to pipelines, runs and tasks: `sluice pause`, `unpause`, `cancel`, `skip`, `mark-success`, `retry`. */

export const pause = ofPipelineOrRun('pause', 'Begin no further runs of a pipeline, or no further tasks of a run; what runs goes on.');
export const unpause = ofPipelineOrRun('unpause', 'Let a pipeline or a run go on.');
export const cancel = named(
  'cancel',
  'End a run: running tasks are cancelled, `finally` runs.',
  'sluice cancel sales_daily/manual/2024-05-01 --reason "wrong day"',
)
  .argument('<run>', RUN_ARGUMENT)
  .action((run: string, options: WordOptions) =>
    tell(options, async (client, word) => cancelRun(client, await findRun(client, run, 'open'), word)),
  );
export const skip = ofTask('skip', 'Skip a task of a run, and go on as if it had been skipped; one that runs is cancelled first.');
export const markSuccess = ofTask(
  'mark-success',
  'Go on as if a task of a run had succeeded, without an output; one that runs is cancelled first.',
);
export const retry = ofTask('retry', 'Try a task again that has failed while its run goes on, and what was ended because of it.');

interface WordOptions {
  readonly as: string;
  readonly reason?: string;
}

function named(name: string, description: string, example: string): Command {
  return new Command(name)
    .description(description)
    .addOption(new Option('--as <name>', 'who says so').default(userInfo().username))
    .option('--reason <text>', 'why; shown in the run')
    .addHelpText('after', `\nExample:\n  ${example}\n\nWho, when and why stays in the run.`);
}

function ofPipelineOrRun(operation: RunOperation, description: string): Command {
  return named(operation, description, `sluice ${operation} sales_daily --reason "the source is being moved"`)
    .argument('<name>', 'a dag_id, or a run as `sluice runs` shows it')
    .action((name: string, options: WordOptions) =>
      tell(options, (client, word) => (name.includes('/') ? operateRun : operatePipeline)(client, name, operation, word)),
    );
}

function ofTask(operation: TaskOperation, description: string): Command {
  return named(operation, description, `sluice ${operation} sales_daily/manual/2024-05-01 load_sales --reason "loaded by hand"`)
    .argument('<run>', RUN_ARGUMENT)
    .argument('<task>', 'as `sluice show` shows it')
    .action((run: string, task: string, options: WordOptions) =>
      tell(options, async (client, word) => operateTask(client, await findRun(client, run, 'open'), operation, { task, ...word })),
    );
}

async function tell({ as: by, reason }: WordOptions, act: (client: Client, word: OperatorWord) => Promise<string>): Promise<void> {
  say(await withClient((client) => act(client, { by, ...(reason !== undefined && { reason }) })));
}
