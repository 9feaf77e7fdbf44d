import type { ChannelDefinition } from './define-channel.ts';
import { pagerduty } from './pagerduty.ts';
import { slack } from './slack.ts';
import { webhook } from './webhook.ts';

/** The channels that ship with Sluice. */
export const CHANNELS: readonly [ChannelDefinition, ...ChannelDefinition[]] = [pagerduty, slack, webhook];

/** @returns undefined if there is no such channel */
export function channelNamed(name: string, channels: readonly ChannelDefinition[] = CHANNELS): ChannelDefinition | undefined {
  return channels.find((channel) => channel.name === name);
}
