import { ApplicationFailure } from '@temporalio/activity';
import { ChannelError } from '../lib/channels/channel-error.ts';
import type { Connections } from '../connections/connections.ts';
import type { Notice } from '../workflows/plan/incident.ts';

/** Says something to a channel, once. It returns when the channel has taken it, and throws else. */
export type Tell = (connections: Connections, notice: Notice, signal: AbortSignal) => Promise<void>;

/** What a channel's error means for an incident: what will not get better by asking again is not asked again. */
export function channelFailure(error: unknown): unknown {
  if (!(error instanceof ChannelError)) return error;
  return error.hopeless
    ? ApplicationFailure.nonRetryable(error.message, 'ChannelRefused')
    : ApplicationFailure.retryable(error.message, 'ChannelUnavailable');
}
