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

/** No attempt takes longer, in milliseconds. */
const WITHIN = 8_000;

/**
 * Brings a notice into its form, and sends it to its channel.
 * @throws what the channel has answered, as a failure that is retried or not
 */
export async function notify(
  connections: Connections,
  secrets: Scrubber,
  notice: Notice,
  cancelled?: AbortSignal,
  channels: readonly ChannelDefinition[] = CHANNELS,
): Promise<void> {
  const channel = channelNamed(notice.channel, channels);
  if (!channel) {
    // Another monitor may have it: while a release is rolled out, there are two.
    const known = channels.map(({ name }) => name).join(', ');
    throw ApplicationFailure.retryable(`This monitor has no channel '${notice.channel}'; it has: ${known}.`, 'ChannelUnknown');
  }
  const fitted = { ...notice, key: fitKey(notice.key), page: fitPage(notice.page, secrets) };
  try {
    const connection = connections.get(notice.connection, [channel.connection.type]);
    await withinTime(WITHIN, cancelled, (signal) => channel.sendNotice(connection, fitted, signal));
  } catch (error) {
    const isSilent = error instanceof TimeLimitExceeded || cancelled?.aborted;
    throw isSilent ? ApplicationFailure.retryable(`No answer in ${WITHIN / 1000} s.`, 'ChannelSilent') : channelFailure(error);
  }
}
