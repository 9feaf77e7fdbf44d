import { Command } from 'commander';
import { taskQueueOf } from '../../lib/environment.ts';
import { EXIT } from '../../lib/exit-code.ts';
import { formatTable } from '../../lib/table.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { pipelineName } from '../../temporal/schedules/pipeline-name.ts';
import { fillTicks, isOpen, listTicks, type Tick } from '../../temporal/schedules/ticks.ts';
import { environment, outputOption, type OutputOptions, print, say } from '../command-context.ts';
import { parseGivenTime } from '../given-dates.ts';
import { withClient } from '../with-client.ts';

interface Options extends OutputOptions {
  readonly from?: string;
  readonly to?: string;
  readonly fill: boolean;
}

/** `sluice ticks`: shows the ticks of a schedule and their runs. */
export const command = new Command('ticks')
  .description(
    'List what happened to each tick of a schedule: ran, queued, skipped and why, or missing; `--fill` starts the runs that are missing or were skipped.',
  )
  .argument('<dag_id>', 'the dag_id of an applied pipeline')
  .option('--from <date>', 'the first interval start; default: start_date, else when the pipeline was first applied')
  .option('--to <date>', 'the last interval start; a date includes the whole day (UTC)')
  .option('--fill', 'start runs for missing and skipped ticks', false)
  .addOption(outputOption())
  .addHelpText('after', '\nExamples:\n  sluice ticks sales_daily\n  sluice ticks sales_daily --from 2024-01-01 --to 2024-01-07 --fill')
  .action(async (dagId: string, options: Options) => {
    const { from, to, fill } = options;
    await withClient(async (client) => {
      await ensureSearchAttributes(client);
      const taskQueue = taskQueueOf(environment);
      const name = await pipelineName(client, taskQueue, dagId);
      const ticks = await listTicks(client, name, {
        ...(from !== undefined && { from: parseGivenTime(from, 'UTC').start }),
        ...(to !== undefined && { to: parseGivenTime(to, 'UTC').end }),
      });
      print(options, ticks, formatTicks(ticks));
      say(summaryOf(ticks));
      if (!fill) return;
      const { started, taken } = await fillTicks(client, name, taskQueue, ticks);
      for (const id of started) say(`Started ${id}`);
      for (const { tick, why } of taken) say(`Tick ${tick} cannot be filled: ${why}.`);
      if (taken.length > 0) process.exitCode = EXIT.failed;
      else if (started.length === 0) say('No ticks to fill.');
    });
  });

function formatTicks(ticks: readonly Tick[]): string {
  if (ticks.length === 0) return '';
  return formatTable(
    ['TICK', 'FROM', 'STATE', 'RUN, OR WHY NOT'],
    ticks.map(({ tick, interval, state, pipelineRunId, why }) => [tick, interval.start, state, pipelineRunId ?? why ?? '']),
  );
}

function summaryOf(ticks: readonly Tick[]): string {
  const counts = new Map<string, number>();
  for (const { state } of ticks) counts.set(state, (counts.get(state) ?? 0) + 1);
  const said = [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
  const open = ticks.filter(isOpen).length;
  return `${ticks.length} tick${ticks.length === 1 ? '' : 's'}${said ? `: ${said}` : ''}.${open > 0 ? ` \`--fill\` starts ${open}.` : ''}`;
}
