import { ApplicationFailure } from '@temporalio/activity';
import { CHANNELS, channelNamed } from '../channels/catalog.ts';
import type { ChannelDefinition } from '../channels/define-channel.ts';
import { fitKey } from '../lib/channels/pagerduty-limits.ts';
import type { Connections } from '../connections/connections.ts';
import type { Scrubber } from '../lib/scrubbing/scrub.ts';
import { TimeLimitExceeded, withinTime } from '../lib/time-limit.ts';
import { channelFailure } from './channel-failure.ts';
import type { Notice } from '../workflows/plan/incidents/incident.ts';
import { fitPage } from './fit-page.ts';

/** Time limit of an attempt, in milliseconds: less than the start-to-close timeout of the activity. */
const LIMIT_MS = 8_000;

interface NotifyOptions {
  /** Ends the attempt when aborted. */
  readonly cancelled?: AbortSignal;
  /** Default: the channels that ship with Sluice. */
  readonly channels?: readonly ChannelDefinition[];
  /** Milliseconds. Default: 8 s. */
  readonly limitMs?: number;
}

/**
 * Formats a notice and sends it to its channel.
 * @throws the channel's error, as a failure that is retryable or not
 */
export async function notify(
  connections: Connections,
  secrets: Scrubber,
  notice: Notice,
  { cancelled, channels = CHANNELS, limitMs = LIMIT_MS }: NotifyOptions = {},
): Promise<void> {
  const channel = channelNamed(notice.channel, channels);
  if (!channel) {
    // Another monitor may have the channel: during a rollout two releases run side by side.
    const known = channels.map(({ name }) => name).join(', ');
    throw ApplicationFailure.retryable(`This monitor has no channel '${notice.channel}'. Its channels: ${known}.`, 'ChannelUnknown');
  }
  const fitted = { ...notice, key: fitKey(notice.key), page: fitPage(notice.page, secrets) };
  try {
    const connection = connections.get(notice.connection, [channel.connection.type]);
    await withinTime(limitMs, cancelled, (signal) => channel.sendNotice(connection, fitted, signal));
  } catch (error) {
    const isSilent = error instanceof TimeLimitExceeded || cancelled?.aborted;
    throw isSilent ? ApplicationFailure.retryable(`No answer in ${limitMs / 1000} s.`, 'ChannelSilent') : channelFailure(error);
  }
}
