import { Command } from 'commander';
import { showRun } from '../temporal/follow-run.ts';
import { describeRun, listRuns, RunNotFound } from '../temporal/runs.ts';
import { ensureSearchAttributes } from '../temporal/search-attributes.ts';
import { runUrl } from '../temporal/web-ui.ts';
import { environment, outputOption, type OutputOptions, print } from './command-context.ts';
import { withClient } from './with-client.ts';
import { formatTasks, runState } from './run-view.ts';

/** `sluice show`: one run, task by task. */
export const command = new Command('show')
  .description('Show a run, task by task: states, attempts, times, rows, failures in full.')
  .argument('<run>', 'a run id, or a dag_id for its newest run')
  .addOption(outputOption())
  .addHelpText('after', '\nExample:\n  sluice show product_category_etl')
  .action(async (name: string, options: OutputOptions) => {
    await withClient(async (client) => {
      await ensureSearchAttributes(client);
      const newest = name.includes('/') ? { pipelineRunId: name } : (await listRuns(client, 1, name))[0];
      if (!newest) throw new RunNotFound(name);
      const run = await describeRun(client, newest);
      const { instances, error } = await showRun(client, run);
      const url = runUrl(environment, client.options.namespace, run);
      const { plan } = instances.input ?? {};
      const interval = instances.input?.interval?.start ?? run.interval;
      const heading = [
        `${run.pipelineRunId}  ${runState(run)}`,
        plan?.description,
        [
          plan?.owner && `owner ${plan.owner}`,
          plan && plan.tags.length > 0 && `tags ${plan.tags.join(', ')}`,
          interval && `data from ${interval}`,
          plan && `plan ${plan.hash.slice(0, 12)}`,
        ]
          .filter(Boolean)
          .join(' · '),
        url,
      ].filter(Boolean);
      print(options, { ...run, plan, error, tasks: instances.all(), url }, `${heading.join('\n')}\n\n${formatTasks(instances.all())}`);
    });
  });
