import { ActivityFailure, condition, patched, proxyActivities, sleep } from '@temporalio/workflow';
import { isNoticeDue, noticesFor, type OpenAlert, openAfter } from './plan/incidents/channel-notices.ts';
import type { ChannelMemory, Notice, Observation, Page } from './plan/incidents/incident.ts';
import { errorText, rootCause } from './plan/values/error-text.ts';

type Activities = { notify(notice: Notice): Promise<void> };
const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1 minute' } as const;

/** A message not accepted within this time is shown as undelivered. Retries continue. */
const soon = proxyActivities<Activities>({ startToCloseTimeout: '12s', scheduleToCloseTimeout: '30s', retry });
const patient = proxyActivities<Activities>({ startToCloseTimeout: '12s', scheduleToCloseTimeout: '24 hours', retry });

/** Pause between two messages of a key: PagerDuty accepts 120 per minute. */
const PAUSE = '500ms';
/** Minimum time between messages that change only the text. In milliseconds. */
const UPDATE_AFTER = 60_000;

/** Notifies one channel, one message at a time. */
export class ChannelNotifier {
  /** A notification is in progress, or must not start yet. */
  busy = false;
  /** Why the channel does not deliver, starting with its name; undefined while it delivers. */
  undelivered: string | undefined;
  private saidAt = 0;
  private updates: boolean;
  private saidFailures = '[]';
  private current: ChannelMemory;
  private open: ReadonlySet<OpenAlert>;

  /** @param note receives a line for each event @param onUndelivered is called when the channel turns out not to deliver */
  constructor(
    private readonly key: string,
    memory: ChannelMemory,
    private readonly note: (line: string) => void,
    private readonly onUndelivered: () => void,
  ) {
    const { sent, trouble } = memory;
    this.current = memory;
    this.open = new Set(memory.open ?? (trouble === undefined && (sent === 'warning' || sent === 'breach') ? [sent] : []));
    this.updates = memory.said !== undefined;
  }

  get memory(): ChannelMemory {
    return { ...this.current, open: [...this.open] };
  }

  /** Whether the channel has to be notified. @param failures why other channels do not deliver */
  isDue(observation: Observation, failures: readonly string[]): boolean {
    if (this.busy) return false;
    const { current: memory, open, updates: mayUpdate, saidFailures } = this;
    return isNoticeDue({ memory, open, mayUpdate, saidFailures }, observation, failures);
  }

  /** Whether no alert is open in the channel, counting alerts that it may have accepted. */
  isDone(): boolean {
    return this.open.size === 0;
  }

  async notify({ state, page }: Observation, failures: readonly string[]): Promise<void> {
    this.busy = true;
    const shown: Page = failures.length === 0 ? page : { ...page, details: { ...page.details, not_delivered: failures } };
    this.saidFailures = JSON.stringify(failures);
    let trouble: string | undefined;
    for (const action of noticesFor(state, this.open)) {
      const refusal = await this.send(action, shown);
      if (refusal === undefined) {
        this.current = { ...this.current, sent: state };
        this.note(`${this.current.channel} has accepted: ${action}`);
      } else {
        trouble = refusal;
        this.note(`${this.current.channel} has not accepted: ${action}: ${refusal}`);
      }
    }
    // A refused message is not sent again until there is something new to send.
    const { channel, connection, takesUpdates } = this.current;
    const settings = { channel, connection, ...(takesUpdates !== undefined && { takesUpdates }) };
    this.current = { ...settings, sent: state, said: JSON.stringify(page), ...(trouble !== undefined && { trouble }) };
    this.saidAt = Date.now();
    await sleep(PAUSE);
    this.busy = false;
    if (state === 'breach') void this.allowUpdates(this.saidAt);
  }

  async acknowledge(page: Page, by: string): Promise<void> {
    const { channel, connection } = this.current;
    await condition(() => !this.busy);
    this.busy = true;
    try {
      await patient.notify({ channel, connection, action: 'acknowledge', key: this.key, page, by });
    } catch (error) {
      this.note(`${channel} has not accepted: acknowledge: ${errorText(rootCause(error))}`);
    }
    this.busy = false;
  }

  /** @returns why the channel has not accepted the message; undefined when it has */
  private async send(action: Notice['action'], page: Page): Promise<string | undefined> {
    const { channel, connection } = this.current;
    const notice: Notice = { channel, connection, action, key: this.key, page };
    const before = this.open;
    this.open = openAfter(before, action, 'sent');
    try {
      await this.deliver(notice);
      this.undelivered = undefined;
      this.open = openAfter(this.open, action, 'accepted');
      return undefined;
    } catch (error) {
      this.open = isRefusal(error) ? openAfter(before, action, 'refused') : openAfter(this.open, action, 'failed');
      return errorText(rootCause(error));
    }
  }

  /** Delivers a notice, however long that takes. @throws the channel's last error */
  private async deliver(notice: Notice): Promise<void> {
    try {
      await soon.notify(notice);
    } catch (error) {
      // In histories of older releases, the first attempt already lasted 24 hours.
      if (!patched('undelivered-is-shown')) throw error;
      const { channel, connection } = notice;
      this.undelivered = `${channel} (${connection}) does not deliver: ${errorText(rootCause(error))}`;
      if (isRefusal(error)) throw error;
      this.current = { ...this.current, trouble: `${errorText(rootCause(error))}; it is retried for 24 hours` };
      this.note(this.undelivered);
      this.onUndelivered();
      await patient.notify(notice);
      this.current = { ...this.current, trouble: undefined };
    }
  }

  private async allowUpdates(saidAt: number): Promise<void> {
    this.updates = false;
    await sleep(UPDATE_AFTER);
    if (this.saidAt === saidAt) this.updates = true;
  }
}

/** Whether the channel refused the message, so that retries are useless. */
function isRefusal(error: unknown): boolean {
  return error instanceof ActivityFailure && error.retryState === 'NON_RETRYABLE_FAILURE';
}
