import { userInfo } from 'node:os';
import { Command, Option } from 'commander';
import { taskQueueOf } from '../../lib/environment.ts';
import { formatTable } from '../../lib/table.ts';
import { findRun } from '../../temporal/runs/find-run.ts';
import { type EndedRun, previewRerun, readEndedRun, startRerun } from '../../temporal/runs/reruns.ts';
import { runUrl } from '../../temporal/web-ui.ts';
import { exactJsonText } from '../../workflows/plan/values/exact-json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RerunChoice } from '../../workflows/plan/runs/rerun.ts';
import { environment, outputOption, type OutputOptions, print, say } from '../command-context.ts';
import { findPlan } from '../find-plan.ts';
import { collect, givenParams } from '../given-params.ts';
import { withClient } from '../with-client.ts';

interface Options extends OutputOptions {
  readonly from?: string;
  readonly failed: boolean;
  readonly definition: 'same' | 'latest';
  readonly param?: readonly string[];
  readonly dryRun: boolean;
}

/** `sluice rerun`: repeats a run without the tasks that succeeded. */
export const command = new Command('rerun')
  .description('Repeat an ended run as a new run that keeps the results of successful tasks.')
  .argument('<run>', 'the run id, as `sluice runs` shows it; or a dag_id with only one unsuccessful run')
  .addOption(new Option('--from <task>', 'also repeat this task and the tasks after it, even if they succeeded').conflicts('failed'))
  .option('--failed', 'repeat unsuccessful tasks and the tasks after them (the default)', false)
  .addOption(
    new Option('--definition <which>', 'use the plan of the original run, or the current pipeline file')
      .choices(['same', 'latest'])
      .default('same'),
  )
  .option('-p, --param <name=value>', 'override a parameter; may be repeated', collect)
  .option('--dry-run', 'show what would run, without starting it', false)
  .addOption(outputOption())
  .addHelpText(
    'after',
    '\nExamples:\n  sluice rerun sales_daily/scheduled-2024-05-01T00:00:00Z --dry-run\n  sluice rerun sales_daily/scheduled-2024-05-01T00:00:00Z --from load_sales --definition latest',
  )
  .action(async (name: string, options: Options) => {
    await withClient(async (client) => {
      const runId = await findRun(client, name, 'failed', taskQueueOf(environment));
      const run = await readEndedRun(client, runId);
      const plan = options.definition === 'latest' ? await findPlan(run.plan.dagId) : run.plan;
      if (!plan) return;
      const order = {
        run,
        plan,
        by: userInfo().username,
        params: paramsOf(run, plan, options.param ?? []),
        ...(options.from !== undefined && { from: options.from }),
      };
      const choices = previewRerun(order);
      if (options.dryRun) return print(options, choices, formatChoices(choices));
      say(formatChoices(choices));
      const rerun = await startRerun(client, taskQueueOf(environment), order, Date.now());
      const url = runUrl(environment, client.options.namespace, rerun);
      say(`Started ${rerun.pipelineRunId}, which repeats ${runId}${url ? `\n${url}` : ''}`);
      print(options, { run: rerun.pipelineRunId, temporal_run: rerun.temporalRunId, rerun_of: runId, url }, rerun.pipelineRunId);
    });
  });

function paramsOf({ params, tasks }: EndedRun, plan: Plan, pairs: readonly string[]): EndedRun['params'] {
  const given = givenParams(plan, [
    ...Object.entries(params).map(([name, value]) => `${name}=${typeof value === 'string' ? value : exactJsonText(value)}`),
    ...pairs,
  ]);
  const kept = Object.values(tasks).some(({ state }) => state === 'success');
  if (pairs.length > 0 && kept)
    say(
      'Tasks that succeeded keep their results, computed with the earlier values. To repeat everything, pass the first task to `--from`.',
    );
  return given;
}

function formatChoices(choices: readonly RerunChoice[]): string {
  return formatTable(
    ['', 'TASK', 'WHY'],
    choices.map(({ task, runs, why }) => [runs ? '▶' : '–', task, why]),
  );
}
