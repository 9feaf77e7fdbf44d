import { userInfo } from 'node:os';
import type { Client } from '@temporalio/client';
import { Command, Option } from 'commander';
import { cancelRun, operatePipeline, operateRun, operateTask } from '../../temporal/runs/operations.ts';
import { ownWorkflow } from '../../temporal/own-workflow.ts';
import { findRun } from '../../temporal/runs/find-run.ts';
import { pipelineName } from '../../temporal/schedules/pipeline-name.ts';
import { operationName, type OperatorRequest, type RunOperation, type TaskOperation } from '../../workflows/plan/runs/decision.ts';
import { taskQueueOf } from '../../lib/environment.ts';
import { environment, say } from '../command-context.ts';
import { withClient } from '../with-client.ts';

/** Help for the argument of commands about one run. */
const RUN_ARGUMENT = 'the run id, as `sluice runs` shows it; or a dag_id that has only one open run';

export const pause = ofPipelineOrRun(
  'pause',
  'Pause a pipeline (start no further runs) or a run (start no further tasks); running runs and tasks continue.',
);
export const resume = ofPipelineOrRun('unpause', 'Resume a paused pipeline or run.');
export const cancel = named(
  'cancel',
  'Cancel a run: running tasks are cancelled, then `finally` tasks run.',
  'sluice cancel sales_daily/manual/2024-05-01 --reason "wrong day"',
)
  .argument('<run>', RUN_ARGUMENT)
  .action((run: string, options: RequestOptions) =>
    send(options, async (client, request) => cancelRun(client, await findRun(client, run, 'open', taskQueueOf(environment)), request)),
  );
export const skip = ofTask('skip', 'Skip a task of a run and continue with the tasks after it; a running task is cancelled first.');
export const markSuccess = ofTask(
  'mark-success',
  'Mark a task of a run as succeeded, without an output, and continue; a running task is cancelled first.',
);
export const retry = ofTask('retry', 'Retry a failed task of a run that is still running, and the tasks that did not run because of it.');

interface RequestOptions {
  readonly as: string;
  readonly reason?: string;
}

function named(name: string, description: string, example: string): Command {
  return new Command(name)
    .description(description)
    .addOption(new Option('--as <name>', 'who makes the request').default(userInfo().username))
    .option('--reason <text>', 'why; recorded in the run')
    .addHelpText('after', `\nExample:\n  ${example}\n\nThe run records who did this, when and why.`);
}

function ofPipelineOrRun(update: RunOperation, description: string): Command {
  const name = operationName(update);
  return named(name, description, `sluice ${name} sales_daily --reason "source migration"`)
    .argument('<name>', 'a dag_id, or a run id as `sluice runs` shows it')
    .action((target: string, options: RequestOptions) =>
      send(options, async (client, request) => {
        const taskQueue = taskQueueOf(environment);
        return target.includes('/')
          ? operateRun(client, await ownWorkflow(client, taskQueue, target), update, request)
          : operatePipeline(client, await pipelineName(client, taskQueue, target), update, request);
      }),
    );
}

function ofTask(operation: TaskOperation, description: string): Command {
  return named(operation, description, `sluice ${operation} sales_daily/manual/2024-05-01 load_sales --reason "loaded by hand"`)
    .argument('<run>', RUN_ARGUMENT)
    .argument('<task>', 'the task name, as `sluice show` shows it')
    .action((run: string, task: string, options: RequestOptions) =>
      send(options, async (client, request) =>
        operateTask(client, await findRun(client, run, 'open', taskQueueOf(environment)), operation, { task, ...request }),
      ),
    );
}

async function send({ as: by, reason }: RequestOptions, act: (client: Client, request: OperatorRequest) => Promise<string>): Promise<void> {
  say(await withClient((client) => act(client, { by, ...(reason !== undefined && { reason }) })));
}
