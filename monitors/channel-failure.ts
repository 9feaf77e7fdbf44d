import { ApplicationFailure } from '@temporalio/activity';
import { isChannelError } from '../lib/channels/channel-error.ts';

/** Translates a channel's error for an incident: errors that a retry cannot fix are not retried. */
export function channelFailure(error: unknown): unknown {
  if (!isChannelError(error)) return error;
  return error.hopeless
    ? ApplicationFailure.nonRetryable(error.message, 'ChannelRefused')
    : ApplicationFailure.retryable(error.message, 'ChannelUnavailable');
}
