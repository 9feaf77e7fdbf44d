import type { Client } from '@temporalio/client';
import { Command } from 'commander';
import { OfAnotherDeployment, ownWorkflow } from '../../temporal/own-workflow.ts';
import { showRun } from '../../temporal/runs/follow-run.ts';
import { describeRun, listRuns, RunNotFound } from '../../temporal/runs/runs.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { runUrl } from '../../temporal/web-ui.ts';
import { environment, outputOption, type OutputOptions, print } from '../command-context.ts';
import { allDeploymentsOption, deploymentOf, type DeploymentOptions } from '../deployment-option.ts';
import { paramsOf, peopleText, runHeading } from '../view/run-text.ts';
import { formatTasks } from '../view/run-view.ts';
import { withClient } from '../with-client.ts';

/** `sluice show`: shows one run, task by task. */
export const command = new Command('show')
  .description(
    'Show a run: its tasks with states, attempts, times, outputs and full failures; parameters, open approvals, and operator requests.',
  )
  .argument('<run>', 'a run id, or a dag_id for its newest run')
  .addOption(allDeploymentsOption())
  .addOption(outputOption())
  .addHelpText('after', '\nExample:\n  sluice show product_category_etl')
  .action(async (name: string, options: OutputOptions & DeploymentOptions) => {
    await withClient(async (client) => {
      await ensureSearchAttributes(client);
      const taskQueue = deploymentOf(options);
      const isId = name.includes('/');
      const newest = isId
        ? { pipelineRunId: await runNamed(client, name, taskQueue) }
        : (await listRuns(client, 1, name, undefined, taskQueue))[0];
      if (!newest) throw new RunNotFound(name);
      const run = await describeRun(client, newest);
      const shown = await showRun(client, run);
      const { instances, error, acts, startedBy, isExact } = shown;
      const { input } = instances;
      const tasks = instances.all();
      const url = runUrl(environment, client.options.namespace, run);
      const data = {
        ...run,
        plan: input?.plan,
        params: paramsOf(input),
        event: input?.event,
        startedBy,
        repeats: input?.rerunOf?.pipelineRunId,
        error,
        tasks,
        acts,
        isExact,
        url,
      };
      print(options, data, [...runHeading(run, shown, url), '', formatTasks(tasks), ...peopleText(run, shown)].join('\n'));
    });
  });

/** A run of this deployment, whose id may lack the deployment; or one of another deployment: showing it changes nothing. */
async function runNamed(client: Client, id: string, taskQueue: string | undefined): Promise<string> {
  if (taskQueue === undefined) return id;
  return ownWorkflow(client, taskQueue, id).catch((error: unknown) => {
    if (error instanceof OfAnotherDeployment) return id;
    throw error;
  });
}
