import { Command, InvalidArgumentError } from 'commander';
import { formatTable } from '../lib/table.ts';
import { listRuns } from '../temporal/runs.ts';
import { ensureSearchAttributes } from '../temporal/search-attributes.ts';
import { formatDuration } from '../workflows/plan/duration.ts';
import { outputOption, type OutputOptions, print, say } from './command-context.ts';
import { withClient } from './with-client.ts';

/** `sluice runs`: the newest runs. */
export const command = new Command('runs')
  .description('List runs, the newest first.')
  .argument('[dag_id]', 'of this pipeline only')
  .option('-n, --limit <count>', 'how many', parseCount, 20)
  .addOption(outputOption())
  .addHelpText('after', '\nExample:\n  sluice runs product_category_etl --limit 5')
  .action(async (dagId: string | undefined, options: OutputOptions & { limit: number }) => {
    const runs = await withClient(async (client) => {
      await ensureSearchAttributes(client);
      return listRuns(client, options.limit, dagId);
    });
    const rows = runs.map((run) => [
      run.pipelineRunId,
      run.state,
      run.cause,
      run.interval ?? '',
      run.startedAt.toISOString().slice(0, 19) + 'Z',
      run.endedAt ? formatDuration(run.endedAt.getTime() - run.startedAt.getTime()) : '',
    ]);
    if (runs.length === 0) say(`There are no runs${dagId ? ` of ${dagId}` : ''} yet.`);
    print(options, runs, runs.length === 0 ? '' : formatTable(['RUN', 'STATE', 'CAUSE', 'INTERVAL', 'STARTED', 'TOOK'], rows));
  });

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 1000) throw new InvalidArgumentError('A whole number from 1 to 1000.');
  return count;
}
