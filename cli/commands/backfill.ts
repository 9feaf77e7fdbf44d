import { Command, InvalidArgumentError, Option } from 'commander';
import { taskQueueOf } from '../../lib/environment.ts';
import { formatTable } from '../../lib/table.ts';
import { activeRunsOf, previewBackfill, startBackfill } from '../../temporal/schedules/backfills.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { pipelineName } from '../../temporal/schedules/pipeline-name.ts';
import { runUrl } from '../../temporal/web-ui.ts';
import { type Choice, REPROCESS, type Reprocess } from '../../workflows/plan/timetable/interval-coverage.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { CommandError, environment, outputOption, type OutputOptions, print, say } from '../command-context.ts';
import { findPlan } from '../find-plan.ts';
import { parseGivenTime } from '../given-dates.ts';
import { withClient } from '../with-client.ts';

interface Options extends OutputOptions {
  readonly from: string;
  readonly to: string;
  readonly reprocess: Reprocess;
  readonly maxActive: number;
  readonly reverse: boolean;
  readonly dryRun: boolean;
}

/** Number of runs shown at the start and at the end of a long list. */
const SHOWN = 10;

/** `sluice backfill`: starts runs for past intervals. */
export const command = new Command('backfill')
  .description('Run past data intervals, as a separate workflow that can be paused, resumed and cancelled.')
  .argument('<pipeline>', 'a dag_id or a YAML file')
  .requiredOption('--from <date>', 'the first interval start: 2024-01-31 or 2024-01-31T06:00:00Z')
  .requiredOption('--to <date>', 'the last interval start; a date includes the whole day')
  .addOption(
    new Option('--reprocess <which>', 'which intervals that already have a run to run again: none, failed ones, or all')
      .choices(REPROCESS)
      .default('none'),
  )
  .option('--max-active <n>', 'maximum number of runs at the same time', parseCount, 1)
  .option('--reverse', 'start with the newest interval', false)
  .option('--dry-run', 'show which intervals would run, and why, without starting them', false)
  .addOption(outputOption())
  .addHelpText(
    'after',
    `
Examples:
  sluice backfill sales_daily --from 2024-01-01 --to 2024-01-31 --dry-run
  sluice backfill sales_daily --from 2024-01-01 --to 2024-01-31 --reprocess failed --max-active 4
  sluice backfills                       list running backfills; \`pause\`, \`resume\` and \`cancel\` them`,
  )
  .action(async (pipeline: string, options: Options) => {
    const { reprocess, maxActive, reverse } = options;
    const plan = await findPlan(pipeline);
    if (!plan) return;
    const { from, to } = rangeOf(plan, options);
    await withClient(async (client) => {
      await ensureSearchAttributes(client);
      const taskQueue = taskQueueOf(environment);
      const name = await pipelineName(client, taskQueue, plan.dagId);
      const order = { plan, name, from, to, reprocess, maxActive, reverse };
      const choices = await previewBackfill(client, order, taskQueue);
      if (choices.length === 0) {
        throw new CommandError(`No complete data interval of ${plan.dagId} starts between ${options.from} and ${options.to}.`);
      }
      const runs = choices.filter((choice) => choice.runs).length;
      say(
        `${runs} of ${choices.length} intervals ${options.dryRun ? 'would run' : 'will run'}, at most ${activeRunsOf(order)} at the same time.`,
      );
      if (options.dryRun) return print(options, choices, formatChoices(choices));
      say(formatChoices(choices));
      if (runs === 0) return print(options, { backfill: null }, '');
      const backfill = await startBackfill(client, taskQueue, order);
      const url = runUrl(environment, client.options.namespace, backfill);
      say(`Started ${backfill.pipelineRunId}${url ? `\n${url}` : ''}`);
      print(options, { backfill: backfill.pipelineRunId, url }, backfill.pipelineRunId);
    });
  });

function rangeOf(plan: Plan, { from, to }: Options): { from: number; to: number } {
  const timezone = plan.schedule?.timezone ?? 'UTC';
  const range = { from: parseGivenTime(from, timezone).start, to: parseGivenTime(to, timezone).end };
  if (range.from > range.to) throw new CommandError(`--from ${from} is after --to ${to}.`);
  return range;
}

function formatChoices(choices: readonly Choice[]): string {
  const row = ({ interval, runs, why }: Choice): string[] => [runs ? '▶' : '–', interval.start, interval.end, why];
  const hidden = choices.length - 2 * SHOWN;
  if (hidden <= 0) return formatTable(['', 'FROM', 'TO', 'WHY'], choices.map(row));
  const middle = ['', `… ${hidden} more …`, '', ''];
  return formatTable(['', 'FROM', 'TO', 'WHY'], [...choices.slice(0, SHOWN).map(row), middle, ...choices.slice(-SHOWN).map(row)]);
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('Must be a whole number from 1 to 9999.');
  return Number(text);
}
