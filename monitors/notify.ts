import { ApplicationFailure } from '@temporalio/activity';
import { fitKey } from '../lib/channels/pagerduty-limits.ts';
import type { Connections } from '../connections/connections.ts';
import type { Scrubber } from '../lib/scrub.ts';
import { TimeLimitExceeded, withinTime } from '../lib/time-limit.ts';
import { channelFailure, type Tell } from './channel.ts';
import type { Channel, Notice } from '../workflows/plan/incident.ts';
import { fitPage } from './fit-page.ts';
import { tellPagerDuty } from './pagerduty.ts';
import { tellSlack } from './slack.ts';
import { tellWebhook } from './webhook.ts';

/** Where people are told. To add a channel: a file beside these with a `Tell`, its name in `Channel`, its key in alerts.ts. */
const CHANNELS: Readonly<Record<Channel, Tell>> = { pagerduty: tellPagerDuty, slack: tellSlack, webhook: tellWebhook };

/** No attempt takes longer, in milliseconds. */
const WITHIN = 8_000;

/** Brings a notice into its form, and tells its channel. @throws what the channel has answered, as a failure that is tried again or not */
export async function notify(connections: Connections, secrets: Scrubber, notice: Notice, cancelled?: AbortSignal): Promise<void> {
  const fitted = { ...notice, key: fitKey(notice.key), page: fitPage(notice.page, secrets) };
  try {
    await withinTime(WITHIN, cancelled, (signal) => CHANNELS[notice.channel](connections, fitted, signal));
  } catch (error) {
    const isSilent = error instanceof TimeLimitExceeded || cancelled?.aborted;
    throw isSilent ? ApplicationFailure.retryable(`No answer in ${WITHIN / 1000} s.`, 'ChannelSilent') : channelFailure(error);
  }
}
