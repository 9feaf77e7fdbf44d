import { Command, InvalidArgumentError } from 'commander';
import { taskQueueOf } from '../../lib/environment.ts';
import { formatTable } from '../../lib/table.ts';
import { deadlocksIn } from '../../temporal/pools/pool-deadlocks.ts';
import { listPools, type PoolState, resizePool } from '../../temporal/pools/pools.ts';
import { CommandError, environment, outputOption, type OutputOptions, print, say } from '../command-context.ts';
import { withClient } from '../with-client.ts';

/** `sluice pools`: the slots that tasks of all pipelines share. */
export const command = new Command('pools')
  .description('Slots that tasks of all pipelines share (`pool:`): who has them, who waits; `set` makes a pool, or changes its size.')
  .addOption(outputOption())
  .addHelpText('after', '\nExamples:\n  sluice pools\n  sluice pools set warehouse 5')
  .action(async (options: OutputOptions) => {
    const pools = await withClient(listPools);
    print(
      options,
      pools,
      pools.length === 0
        ? 'There are no pools. `sluice pools set <name> <slots>` makes one.'
        : formatTable(
            ['POOL', 'SLOTS', 'TAKEN', 'WAITING', 'HELD BY'],
            pools.map(({ name, state }) => {
              if (!state) return [name, '?', '?', '?', 'no worker answers'];
              const { capacity, holders, waiting } = state;
              const taken = holders.reduce((sum, { slots }) => sum + slots, 0);
              return [
                name,
                ...[capacity, taken, waiting.length].map(String),
                holders.map(({ workflowId, what }) => `${workflowId} ${what}`).join(', '),
              ];
            }),
          ) + deadlockLines(pools),
    );
  });

command
  .command('set')
  .description('Make a pool, or change its size. A smaller one takes nothing away from those who hold slots.')
  .argument('<name>', 'small letters, digits and _')
  .argument('<slots>', 'how many; 0 lets nobody in', parseSlots)
  .action(async (name: string, slots: number) => {
    if (!/^[a-z][a-z0-9_]{0,63}$/.test(name))
      throw new CommandError(`'${name}' cannot be a pool: small letters, digits and _, beginning with a letter.`);
    await withClient((client) => resizePool(client, taskQueueOf(environment), name, slots));
    say(`Pool ${name} has ${slots} slot${slots === 1 ? '' : 's'}.`);
  });

function deadlockLines(pools: readonly PoolState[]): string {
  const lines = deadlocksIn(pools).map(
    ({ pool, request: { workflowId, what } }) =>
      `\nDeadlock: ${what} of ${workflowId} waits for pool ${pool}, whose slots tasks hold that wait for runs like it.`,
  );
  const room =
    '\nMore slots end it (`sluice pools set`), or cancelling one of these runs; without `pool` at the tasks that wait for runs it does not come back.';
  return lines.length === 0 ? '' : `\n${lines.join('')}${room}`;
}

function parseSlots(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('A whole number, 0 or more.');
  return Number(text);
}
