import { ApplicationFailure } from '@temporalio/activity';
import type { Connections } from '../lib/connections.ts';
import type { Notice } from '../workflows/plan/incident.ts';

/** Says something to a channel, once. It returns when the channel has taken it, and throws else. */
export type Tell = (connections: Connections, notice: Notice, signal: AbortSignal) => Promise<void>;

/** The failure of an answer: what will not get better by asking again is not asked again. */
export function refused(channel: string, status: number, text: string): ApplicationFailure {
  const message = `${channel} has answered ${status}: ${text.slice(0, 300)}`;
  const hopeless = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return hopeless
    ? ApplicationFailure.nonRetryable(message, 'ChannelRefused')
    : ApplicationFailure.retryable(message, 'ChannelUnavailable');
}
