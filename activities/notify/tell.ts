import { cutBytes } from '../../lib/cut-bytes.ts';
import { untilAborted } from '../../lib/until-aborted.ts';
import type { TaskContext } from '../define-task.ts';
import { CHANNELS, type Channel, type Severity } from './channels.ts';
import { notifyFailure } from './notify-failure.ts';

interface NotifyParams {
  readonly to: Channel;
  readonly connection?: string;
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
  { to, connection = `${to}_default`, message, severity = 'error' }: NotifyParams,
): Promise<{ sent: boolean }> {
  const limit = AbortSignal.timeout(WITHIN);
  const signal = AbortSignal.any([context.signal, limit]);
  const said = { message: cutBytes(context.scrub(message), MESSAGE_BYTES), severity };
  try {
    await untilAborted(signal, CHANNELS[to](context, connection, said, signal));
  } catch (error) {
    context.signal.throwIfAborted();
    throw notifyFailure(limit.aborted ? new Error(`${to} has not answered in ${WITHIN / 1_000} s`) : error, connection, context.scrub);
  }
  return { sent: true };
}
