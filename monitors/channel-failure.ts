import { ApplicationFailure } from '@temporalio/activity';
import { isChannelError } from '../lib/channels/channel-error.ts';

/** What a channel's error means for an incident: what a retry does not cure is not retried. */
export function channelFailure(error: unknown): unknown {
  if (!isChannelError(error)) return error;
  return error.hopeless
    ? ApplicationFailure.nonRetryable(error.message, 'ChannelRefused')
    : ApplicationFailure.retryable(error.message, 'ChannelUnavailable');
}
