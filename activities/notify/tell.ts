import { cutBytes } from '../../lib/cut-bytes.ts';
import { TimeLimitExceeded, withinTime } from '../../lib/time-limit.ts';
import type { TaskContext } from '../define-task.ts';
import { CHANNELS, type Channel, type Severity } from './channels.ts';
import { notifyFailure } from './notify-failure.ts';

interface NotifyParams {
  readonly to: Channel;
  readonly conn_id?: string;
  readonly message: string;
  readonly severity?: Severity;
}

/** No attempt takes longer, in milliseconds. */
const WITHIN = 30_000;
/** Slack shows 40,000 characters, PagerDuty takes 512 KiB; nobody reads as much. */
const MESSAGE_BYTES = 32 * 1_024;

/** Tells a channel, once. */
export async function tell(
  context: TaskContext,
  { to, conn_id: connection = `${to}_default`, message, severity = 'error' }: NotifyParams,
): Promise<{ sent: boolean }> {
  const said = { message: cutBytes(context.scrub(message), MESSAGE_BYTES), severity };
  try {
    await withinTime(WITHIN, context.signal, (signal) => CHANNELS[to](context, connection, said, signal));
  } catch (error) {
    context.signal.throwIfAborted();
    const reason = error instanceof TimeLimitExceeded ? new Error(`${to} has not answered in ${WITHIN / 1_000} s`) : error;
    throw notifyFailure(reason, connection, context.scrub);
  }
  return { sent: true };
}
