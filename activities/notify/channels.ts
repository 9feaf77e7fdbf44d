import { sendEvent } from '../../lib/channels/pagerduty.ts';
import { fitKey, fitSummary } from '../../lib/channels/pagerduty-limits.ts';
import { postJson } from '../../lib/channels/post-json.ts';
import { escapeForSlack, sayOnSlack } from '../../lib/channels/slack.ts';
import { headerKey } from '../../lib/http/header-key.ts';
import type { TaskContext } from '../define-task.ts';
import { CHANNEL_CONNECTIONS } from './channel-connections.ts';

export type Channel = keyof typeof CHANNEL_CONNECTIONS;
export type Severity = 'critical' | 'error' | 'warning' | 'info';

/** What is said, fit for people. */
interface Said {
  readonly message: string;
  readonly severity: Severity;
}

/** Says something to a channel, once. @throws ChannelError, `ConnectionNotDefined`, the signal's reason */
type Say = (context: TaskContext, connection: string, said: Said, signal: AbortSignal) => Promise<void>;

const MARKS: Readonly<Record<Severity, string>> = { critical: '🔴', error: '🔴', warning: '⚠️', info: 'ℹ️' };

/** A line with a mark. Slack takes no key: an attempt that died before it could say so has been read, and the next is read again. */
const slack: Say = async (context, connection, { message, severity }, signal) =>
  sayOnSlack(context.connection(connection, CHANNEL_CONNECTIONS.slack), `${MARKS[severity]} ${escapeForSlack(message)}`, signal);

/** An alert of the task's own: another attempt finds it open. */
const pagerduty: Say = async (context, connection, { message, severity }, signal) => {
  const { dagId, idempotencyKey } = context;
  await sendEvent(
    context.connection(connection, CHANNEL_CONNECTIONS.pagerduty),
    {
      event_action: 'trigger',
      dedup_key: fitKey(idempotencyKey),
      payload: {
        summary: fitSummary(message) || `${dagId} says nothing`,
        source: dagId,
        severity,
        component: dagId,
        class: 'notify',
        custom_details: { message, ...whereFrom(context) },
      },
    },
    signal,
  );
};

/** The notice as JSON, with the key in a header too. */
const webhook: Say = async (context, connection, said, signal) => {
  const { idempotencyKey } = context;
  await postJson(
    'The webhook',
    context.connection(connection, CHANNEL_CONNECTIONS.webhook),
    { key: idempotencyKey, ...said, ...whereFrom(context) },
    signal,
    {
      'idempotency-key': headerKey(idempotencyKey),
    },
  );
};

export const CHANNELS: Readonly<Record<Channel, Say>> = { slack, pagerduty, webhook };

/** Where it comes from, by the names that expressions have for it. */
function whereFrom({ dagId, task, pipelineRunId, interval }: TaskContext) {
  return { dag_id: dagId, task, run_id: pipelineRunId, data_interval_start: interval.start, data_interval_end: interval.end };
}
