import { channelNamed } from '../channels/catalog.ts';
import type { ChannelDefinition } from '../channels/define-channel.ts';
import type { Connections } from '../connections/connections.ts';
import { withinTime } from '../lib/time-limit.ts';
import type { Plan } from '../workflows/plan/plan.ts';

/** Time limit for a channel, in milliseconds. */
const WITHIN = 8_000;

/** Sends a pipeline's edit to its alert channels, if they accept edits: on-call staff ask for recent changes first. */
export async function announceEdit(
  connections: Connections,
  channels: readonly ChannelDefinition[],
  before: Plan,
  after: Plan,
): Promise<void> {
  const names = (plan: Plan): Set<string> => new Set(plan.tasks.map(({ name }) => name));
  const [old, now] = [names(before), names(after)];
  const details = {
    plan: `${before.hash.slice(0, 12)} → ${after.hash.slice(0, 12)}`,
    tasks_added: [...now].filter((name) => !old.has(name)),
    tasks_removed: [...old].filter((name) => !now.has(name)),
    owner: after.owner ?? '',
  };
  const edit = { summary: `Pipeline ${after.dagId} was edited`, details };
  for (const [name, { connection }] of Object.entries(after.alerts ?? {})) {
    const channel = channelNamed(name, channels);
    if (!channel?.sendEdit) continue;
    const opened = connections.get(connection, [channel.connection.type]);
    await withinTime(WITHIN, undefined, async (signal) => channel.sendEdit?.(opened, edit, signal));
  }
}
