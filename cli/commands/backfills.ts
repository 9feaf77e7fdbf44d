import { userInfo } from 'node:os';
import { Command, Option } from 'commander';
import { formatTable } from '../../lib/table.ts';
import { type BackfillState, cancelBackfill, listBackfills, pauseBackfill, resumeBackfill } from '../../temporal/schedules/backfills.ts';
import { outputOption, type OutputOptions, print, say } from '../command-context.ts';
import { withClient } from '../with-client.ts';

/** `sluice backfills`: those that go on. */
export const command = new Command('backfills')
  .description('The backfills that go on, and how far they are; `pause`, `resume` and `cancel` one.')
  .addOption(outputOption())
  .addHelpText(
    'after',
    '\nExamples:\n  sluice backfills\n  sluice backfills pause sales_daily/backfills/2024-01-01T00:00:00Z/2024-01-31T23:59:59Z',
  )
  .action(async (options: OutputOptions) => {
    const backfills = await withClient(listBackfills);
    print(options, backfills, backfills.length === 0 ? 'No backfill goes on.' : formatBackfills(backfills));
  });

for (const [name, description, act] of [
  ['pause', 'Begin no further runs; those that have begun go on.', pauseBackfill],
  ['resume', 'Go on.', resumeBackfill],
  ['cancel', 'End a backfill, with the runs that it has begun.', cancelBackfill],
] as const) {
  command
    .command(name)
    .description(description)
    .argument('<backfill>', 'as `sluice backfills` shows it')
    .addOption(new Option('--as <name>', 'who says so').default(userInfo().username))
    .option('--reason <text>', 'why; shown in the backfill')
    .action(async (backfill: string, { as: by, reason }: { as: string; reason?: string }) => {
      say(await withClient((client) => act(client, backfill, { by, ...(reason !== undefined && { reason }) })));
    });
}

function formatBackfills(backfills: readonly BackfillState[]): string {
  return formatTable(
    ['BACKFILL', 'DONE', 'SUCCEEDED', 'SKIPPED', 'FAILED', 'STATE'],
    backfills.map(({ workflowId, report }) => {
      if (!report) return [workflowId, '?', '?', '?', '?', 'no worker answers'];
      const { total, succeeded, skipped, failed, paused } = report;
      const state = paused ? `paused by ${paused.by}${paused.reason ? `: ${paused.reason}` : ''}` : 'running';
      const done = succeeded + skipped + failed.length;
      return [workflowId, `${done} of ${total}`, ...[succeeded, skipped, failed.length].map(String), state];
    }),
  );
}
