import { Command, InvalidArgumentError } from 'commander';
import { taskQueueOf } from '../../lib/environment.ts';
import { formatTable } from '../../lib/table.ts';
import { deadlocksIn } from '../../temporal/pools/pool-deadlocks.ts';
import { listPools, type PoolState, resizePool } from '../../temporal/pools/pools.ts';
import { CommandError, environment, outputOption, type OutputOptions, print, say } from '../command-context.ts';
import { allDeploymentsOption, deploymentOf, type DeploymentOptions } from '../deployment-option.ts';
import { withClient } from '../with-client.ts';

/** `sluice pools`: lists and resizes the slot pools that tasks of all pipelines share. */
export const command = new Command('pools')
  .description('List pools (slots that tasks of all pipelines share): who holds slots, who waits; `set` creates or resizes a pool.')
  .addOption(allDeploymentsOption())
  .addOption(outputOption())
  .addHelpText('after', '\nExamples:\n  sluice pools\n  sluice pools set warehouse 5')
  .action(async (options: OutputOptions & DeploymentOptions) => {
    const pools = await withClient((client) => listPools(client, deploymentOf(options)));
    const nameOf = ({ name, deployment }: PoolState): string => (options.allDeployments ? `${deployment}/${name}` : name);
    print(
      options,
      pools,
      pools.length === 0
        ? 'There are no pools. `sluice pools set <name> <slots>` creates one.'
        : formatTable(
            ['POOL', 'SLOTS', 'TAKEN', 'WAITING', 'HELD BY'],
            pools.map((pool) => {
              const { state } = pool;
              const name = nameOf(pool);
              if (!state) return [name, '?', '?', '?', 'no worker responds'];
              const { capacity, holders, waiting } = state;
              const taken = holders.reduce((sum, { slots }) => sum + slots, 0);
              return [
                name,
                ...[capacity, taken, waiting.length].map(String),
                holders.map(({ workflowId, what }) => `${workflowId} ${what}`).join(', '),
              ];
            }),
          ) + deadlockLines(pools, nameOf),
    );
  });

command
  .command('set')
  .description('Create or resize a pool. Slots in use are not taken away when a pool shrinks.')
  .argument('<name>', 'lowercase letters, digits and _')
  .argument('<slots>', 'number of slots; with 0, no task starts', parseSlots)
  .action(async (name: string, slots: number) => {
    if (!/^[a-z][a-z0-9_]{0,63}$/.test(name))
      throw new CommandError(`'${name}' is not a valid pool name. Use lowercase letters, digits and _, starting with a letter.`);
    await withClient((client) => resizePool(client, taskQueueOf(environment), name, slots));
    say(`Pool ${name} has ${slots} slot${slots === 1 ? '' : 's'}.`);
  });

function deadlockLines(pools: readonly PoolState[], nameOf: (pool: PoolState) => string): string {
  const names = new Map(pools.map((pool) => [pool.id, nameOf(pool)]));
  const lines = deadlocksIn(pools).map(
    ({ pool, request: { workflowId, what } }) =>
      `\nDeadlock: ${what} of ${workflowId} waits for pool ${names.get(pool)}, but all its slots are held by tasks that wait for such runs.`,
  );
  const room =
    '\nTo resolve it, add slots (`sluice pools set`) or cancel one of these runs. To prevent it, remove `pool` from tasks that wait for runs.';
  return lines.length === 0 ? '' : `\n${lines.join('')}${room}`;
}

function parseSlots(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('Must be a whole number, 0 or more.');
  return Number(text);
}
