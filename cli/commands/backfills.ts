import { userInfo } from 'node:os';
import type { Client } from '@temporalio/client';
import { Command, Option } from 'commander';
import { taskQueueOf } from '../../lib/environment.ts';
import { formatTable } from '../../lib/table.ts';
import { ownWorkflow } from '../../temporal/own-workflow.ts';
import { type BackfillState, cancelBackfill, listBackfills, pauseBackfill, resumeBackfill } from '../../temporal/schedules/backfills.ts';
import { environment, outputOption, type OutputOptions, print, say } from '../command-context.ts';
import { allDeploymentsOption, deploymentOf, type DeploymentOptions } from '../deployment-option.ts';
import { withClient } from '../with-client.ts';

/** `sluice backfills`: lists active backfills. */
export const command = new Command('backfills')
  .description('List running backfills and their progress; `pause`, `resume` or `cancel` one.')
  .addOption(allDeploymentsOption())
  .addOption(outputOption())
  .addHelpText(
    'after',
    '\nExamples:\n  sluice backfills\n  sluice backfills pause sales_daily/backfills/2024-01-01T00:00:00Z/2024-01-31T23:59:59Z',
  )
  .action(async (options: OutputOptions & DeploymentOptions) => {
    const backfills = await withClient((client) => listBackfills(client, deploymentOf(options)));
    print(options, backfills, backfills.length === 0 ? 'No backfill is running.' : formatBackfills(backfills));
  });

for (const [name, description, act] of [
  ['pause', 'Start no further runs; running runs continue.', pauseBackfill],
  ['resume', 'Resume a paused backfill.', resumeBackfill],
  ['cancel', 'Cancel a backfill and the runs that it has started.', cancelBackfill],
] as const) {
  command
    .command(name)
    .description(description)
    .argument('<backfill>', 'the backfill id, as `sluice backfills` shows it')
    .addOption(new Option('--as <name>', 'who makes the request').default(userInfo().username))
    .option('--reason <text>', 'why; recorded in the backfill')
    .action(async (backfill: string, { as: by, reason }: { as: string; reason?: string }) => {
      const own = (client: Client): Promise<string> => ownWorkflow(client, taskQueueOf(environment), backfill);
      say(await withClient(async (client) => act(client, await own(client), { by, ...(reason !== undefined && { reason }) })));
    });
}

function formatBackfills(backfills: readonly BackfillState[]): string {
  return formatTable(
    ['BACKFILL', 'DONE', 'SUCCEEDED', 'SKIPPED', 'FAILED', 'STATE'],
    backfills.map(({ workflowId, report }) => {
      if (!report) return [workflowId, '?', '?', '?', '?', 'no worker responds'];
      const { total, succeeded, skipped, failed, paused } = report;
      const state = paused ? `paused by ${paused.by}${paused.reason ? `: ${paused.reason}` : ''}` : 'running';
      const done = succeeded + skipped + failed.length;
      return [workflowId, `${done} of ${total}`, ...[succeeded, skipped, failed.length].map(String), state];
    }),
  );
}
