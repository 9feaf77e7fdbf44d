import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import type { KafkaConnection } from '../../lib/kafka/connection.ts';
import { kafkaErrorType } from '../../lib/kafka/error-type.ts';
import { platformFault, userFault } from '../run/errors.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** Error types for a user without permission. */
const NOT_ALLOWED: ReadonlySet<string | undefined> = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
]);

/** Translates Kafka's error for the analyst. @param doing the operation: `write to product-updates` */
export function kafkaFailure(error: unknown, { brokers, username }: KafkaConnection, doing: string): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const text = errorText(error);
  const tried = `Could not ${doing}: ${text} (brokers ${brokers.join(', ')}).`;
  if (NOT_ALLOWED.has(kafkaErrorType(error))) {
    const user = username === undefined ? 'clients without a user' : `user '${username}'`;
    return userFault(
      'AccessDenied',
      `${tried} Ask their administrator to allow it to ${user}, or name another connection in the task.`,
      error,
    );
  }
  return platformFault(
    'KafkaUnavailable',
    `${tried} Check that the brokers run and can be reached from this worker; the task will try again.`,
    error,
  );
}
