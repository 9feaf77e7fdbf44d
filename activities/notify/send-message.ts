import { channelNamed } from '../../channels/catalog.ts';
import type { ChannelDefinition, Message } from '../../channels/define-channel.ts';
import { cutBytes } from '../../lib/cut-bytes.ts';
import { TimeLimitExceeded, withinTime } from '../../lib/time-limit.ts';
import type { Severity } from '../../workflows/plan/incidents/sla.ts';
import type { TaskContext } from '../define-task.ts';
import { userFault } from '../run/errors.ts';
import { notifyFailure } from './notify-failure.ts';

interface NotifyParams {
  readonly to: string;
  readonly conn_id?: string;
  readonly message: string;
  readonly severity?: Severity;
}

/** Time limit of one attempt, in milliseconds. */
const WITHIN = 30_000;
/** Far longer than anyone reads. Slack shows 40,000 characters, PagerDuty accepts 512 KiB. */
const MESSAGE_BYTES = 32 * 1_024;

/** Sends a message to a channel once. */
export async function sendMessage(
  context: TaskContext,
  { to, conn_id: connection = `${to}_default`, message, severity = 'error' }: NotifyParams,
  channels: readonly ChannelDefinition[],
): Promise<{ sent: boolean }> {
  const channel = channelNamed(to, channels);
  if (!channel)
    throw userFault('InvalidParameters', `There is no channel '${to}'; allowed: ${channels.map(({ name }) => name).join(', ')}.`);
  const sent: Message = {
    text: cutBytes(context.scrub(message), MESSAGE_BYTES),
    severity,
    key: context.idempotencyKey,
    from: whereFrom(context),
  };
  try {
    const opened = context.connection(connection, [channel.connection.type]);
    await withinTime(WITHIN, context.signal, (signal) => channel.sendMessage(opened, sent, signal));
  } catch (error) {
    context.signal.throwIfAborted();
    const reason = error instanceof TimeLimitExceeded ? new Error(`${to} has not answered in ${WITHIN / 1_000} s`) : error;
    throw notifyFailure(reason, connection, context.scrub);
  }
  return { sent: true };
}

function whereFrom({ dagId, task, pipelineRunId, interval }: TaskContext): Message['from'] {
  return { dag_id: dagId, task, run_id: pipelineRunId, data_interval_start: interval.start, data_interval_end: interval.end };
}
