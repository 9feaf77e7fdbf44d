import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import type { KafkaConnection } from '../../lib/connections.ts';
import { platformFault } from '../errors.ts';

/** What Kafka's error means for the analyst. @param doing what was tried: `write to product-updates` */
export function kafkaFailure(error: unknown, { brokers }: KafkaConnection, doing: string): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const text = error instanceof Error ? error.message : String(error);
  return platformFault(
    'KafkaUnavailable',
    `Could not ${doing}: ${text} (brokers ${brokers.join(', ')}). Check that the brokers run and can be reached from this worker; the task will try again.`,
    error,
  );
}
