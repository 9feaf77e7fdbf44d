import type { Client } from '@temporalio/client';
import { Command, InvalidArgumentError } from 'commander';
import { nearest } from '../../compiler/mistakes/diagnostic.ts';
import { taskQueueOf } from '../../lib/environment.ts';
import { formatTable } from '../../lib/table.ts';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { listRuns, type RunSummary, WAITING_RUNS } from '../../temporal/runs/runs.ts';
import { listSchedules } from '../../temporal/schedules/schedules.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { askTaskTable } from '../../temporal/runs/task-table.ts';
import { runsUrl } from '../../temporal/web-ui.ts';
import { formatDuration } from '../../workflows/plan/values/duration.ts';
import { timeText } from '../../workflows/plan/values/format.ts';
import { waitText } from '../../workflows/plan/tasks/wait-text.ts';
import type { OpenWait } from '../../workflows/plan/tasks/task-table.ts';
import { CommandError, compilePaths, environment, outputOption, type OutputOptions, PIPELINES, print, say } from '../command-context.ts';
import { allDeploymentsOption, deploymentOf, type DeploymentOptions } from '../deployment-option.ts';
import { runState } from '../view/run-view.ts';
import { withClient } from '../with-client.ts';

interface Options extends OutputOptions, DeploymentOptions {
  readonly limit: number;
  readonly waiting: boolean;
}

/** Number of runs that are queried concurrently for their waits. */
const CONCURRENT_REQUESTS = 10;

/** `sluice runs`: lists the newest runs. */
export const command = new Command('runs')
  .description('List the runs of the deployment, newest first.')
  .argument('[dag_id]', 'only runs of this pipeline')
  .option('-n, --limit <count>', 'maximum number of runs', parseCount, 20)
  .option('--waiting', 'only runs that wait for a person: for an approval, or with a task on hold', false)
  .addOption(allDeploymentsOption())
  .addOption(outputOption())
  .addHelpText('after', '\nExamples:\n  sluice runs product_category_etl --limit 5\n  sluice runs --waiting')
  .action(async (dagId: string | undefined, options: Options) => {
    await withClient(async (client) => {
      await ensureSearchAttributes(client);
      const runs = await listRuns(client, options.limit, dagId, options.waiting ? WAITING_RUNS : undefined, deploymentOf(options));
      if (runs.length === 0 && dagId !== undefined) await checkPipeline(client, dagId);
      const filter = { dagId, query: options.waiting ? WAITING_RUNS : undefined };
      const url = runsUrl(environment, client.options.namespace, filter);
      if (runs.length > 0 && url !== undefined) say(`In the Temporal UI: ${url}`);
      if (options.waiting) return printWaiting(client, runs, options, dagId);
      if (runs.length === 0) say(`There are no runs${ofPipeline(dagId)} yet.`);
      print(options, runs, runs.length === 0 ? '' : formatRuns(runs));
    });
  });

function formatRuns(runs: readonly RunSummary[]): string {
  const rows = runs.map((run) => [
    run.pipelineRunId,
    runState(run),
    run.cause,
    run.interval ?? '',
    timeText(run.startedAt.getTime()),
    run.endedAt ? formatDuration(run.endedAt.getTime() - run.startedAt.getTime()) : '',
  ]);
  return formatTable(['RUN', 'STATE', 'CAUSE', 'INTERVAL', 'STARTED', 'TOOK'], rows);
}

/** Prints runs together with what each waits for. */
async function printWaiting(client: Client, runs: readonly RunSummary[], options: Options, dagId: string | undefined): Promise<void> {
  const waits = new Map<string, readonly OpenWait[]>();
  await inTurns(runs, CONCURRENT_REQUESTS, async (run) => {
    const table = await askTaskTable(client, run, { outputs: false });
    if (table) waits.set(run.temporalRunId, table.waits);
  });
  if (runs.length === 0) say(`No run${ofPipeline(dagId)} waits for a person.`);
  if (waits.size < runs.length) say('No worker responds for some runs, so votes are not shown. `sluice doctor` shows why.');
  const rows = runs.flatMap((run) => {
    const own = waits.get(run.temporalRunId);
    if (!own) return (run.waitsFor ?? ['']).map((line) => [run.pipelineRunId, '', run.state, '', '', line]);
    return own.map((wait) => [
      run.pipelineRunId,
      wait.task,
      wait.kind,
      timeText(wait.since),
      wait.until === undefined ? 'no limit' : timeText(wait.until),
      waitText(wait),
    ]);
  });
  print(
    options,
    runs.map((run) => ({ ...run, waits: waits.get(run.temporalRunId) ?? null })),
    rows.length === 0 ? '' : formatTable(['RUN', 'TASK', 'WAITS FOR', 'SINCE', 'UNTIL', 'WHAT'], rows),
  );
}

/** @throws CommandError when neither the files nor Temporal contain the pipeline */
async function checkPipeline(client: Client, dagId: string): Promise<void> {
  const files = await compilePaths([PIPELINES]).catch(() => []);
  const schedules = await listSchedules(client, taskQueueOf(environment));
  const known = [...new Set([...files.flatMap(({ plan }) => plan?.dagId ?? []), ...schedules.map((schedule) => schedule.dagId)])].sort();
  if (known.includes(dagId) || (await listRuns(client, 1, dagId)).length > 0) return;
  const near = nearest(dagId, known);
  const hint = near ? ` Did you mean '${near}'?` : known.length > 0 ? ` Pipelines: ${known.join(', ')}.` : '';
  const broken = files.filter(({ plan }) => !plan).map(({ file }) => file);
  const unread = broken.length > 0 ? ` ${broken.join(', ')} cannot be read: see \`sluice validate\`.` : '';
  throw new CommandError(`Pipeline '${dagId}' does not exist.${hint}${unread}`);
}

function ofPipeline(dagId: string | undefined): string {
  return dagId === undefined ? '' : ` of ${dagId}`;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 1000) throw new InvalidArgumentError('Must be a whole number from 1 to 1000.');
  return count;
}
