import { userInfo } from 'node:os';
import { Command } from 'commander';
import { EXIT } from '../../lib/exit-code.ts';
import { taskQueueOf } from '../../lib/environment.ts';
import { createProgress, silentProgress } from '../../lib/progress.ts';
import { followRun } from '../../temporal/runs/follow-run.ts';
import { askWorkers } from '../../temporal/monitors/probe.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { runUrl } from '../../temporal/web-ui.ts';
import { dataIntervalAt, iso } from '../../workflows/plan/timetable/schedule.ts';
import { CommandError, environment, outputOption, type OutputOptions, print, say } from '../command-context.ts';
import { intervalOf } from '../given-interval.ts';
import { collect, givenParams } from '../given-params.ts';
import { findPlan } from '../find-plan.ts';
import { withClient } from '../with-client.ts';
import { formatTasks, runState, runView } from '../view/run-view.ts';

interface Options extends OutputOptions {
  readonly wait: boolean;
  readonly logicalDate?: string;
  readonly id?: string;
  readonly param?: readonly string[];
}

/** `sluice run`: starts a manual run from the current file. */
export const command = new Command('run')
  .description('Start a run manually, from the current pipeline file.')
  .argument('<pipeline>', 'a dag_id or a YAML file')
  .option('-w, --wait', 'follow the run until it ends', false)
  .option(
    '--logical-date <date>',
    'start of the data interval: a day in the time zone of the pipeline, or a time; default: the last complete interval',
  )
  .option('--id <id>', 'last part of the run id; default: the logical date if given, else the current time')
  .option('-p, --param <name=value>', 'a parameter of the run; may be repeated', collect)
  .addOption(outputOption())
  .addHelpText(
    'after',
    '\nExamples:\n  sluice run product_category_etl --wait\n  sluice run daily_orders --logical-date 2024-01-31 --param region=eu\n\nExit codes: 0 started (with --wait: succeeded), 1 failed, 3 mistakes in the file, 4 no Temporal server.',
  )
  .action(async (pipeline: string, options: Options) => {
    const plan = await findPlan(pipeline);
    if (!plan) return;
    const params = givenParams(plan, options.param ?? []);
    await withClient(async (client) => {
      const taskQueue = taskQueueOf(environment);
      await ensureSearchAttributes(client);
      const interval =
        options.logicalDate === undefined ? dataIntervalAt(plan.schedule, Date.now()) : intervalOf(plan, options.logicalDate);
      const id = options.id ?? (options.logicalDate === undefined ? iso(Date.now()) : interval.start);
      const run = await startManualRun(client, plan, taskQueue, interval, id, params, userInfo().username);
      const url = runUrl(environment, client.options.namespace, run);
      say(`Started ${run.pipelineRunId} (data of ${interval.start} – ${interval.end})${url ? `\n${url}` : ''}`);
      if (!(await askWorkers(client, taskQueue)))
        say(`No worker responds on task queue '${taskQueue}'. The run waits for one: start it with \`sluice worker\`.`);
      const started = { run: run.pipelineRunId, temporal_run: run.temporalRunId, interval, url };
      if (!options.wait) return print(options, started, run.pipelineRunId);
      const stop = new AbortController();
      process.once('SIGINT', () =>
        stop.abort(new CommandError(`Stopped following; the run continues. Show it with \`sluice show ${run.pipelineRunId}\`.`)),
      );
      const view = runView(options.output === 'json' ? silentProgress : createProgress());
      const end = await followRun(client, run, view, stop.signal);
      print(
        options,
        { ...started, state: end.state, isPartial: end.isPartial, error: end.error, tasks: end.tasks },
        `${run.pipelineRunId}  ${runState(end)}\n${formatTasks(end.tasks)}`,
      );
      if (end.state !== 'success') {
        if (end.error) say(end.error);
        process.exitCode = EXIT.failed;
      }
    });
  });
