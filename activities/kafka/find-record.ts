import { ApplicationFailure } from '@temporalio/activity';
import type { KafkaConnection } from '../../lib/kafka/connection.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { decodeExactJson, Undecodable } from '../../lib/kafka/decode-record.ts';
import { readTopic } from '../../lib/kafka/read-topic.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { TaskContext } from '../define-task.ts';
import { notYet } from '../run/errors.ts';
import { kafkaFailure } from './kafka-failure.ts';

/** Finds the first record since the start of the data interval that meets the condition. The next check continues after the last read. */
export async function findRecord(
  {
    connections,
    interval,
    resumePoint,
    progress,
    holds,
    signal,
  }: TaskContext & { readonly connections: { readonly kafka: KafkaConnection } },
  { topic, until }: { readonly topic: string; readonly until?: string },
): Promise<{ event: Json }> {
  const kafka = createKafka(connections.kafka, 'sluice-task');
  let event: Json | undefined;
  try {
    const next = await readTopic(
      kafka,
      { topic, from: (resumePoint as Record<string, string> | undefined) ?? Date.parse(interval.start), signal },
      (record) => {
        try {
          const value = decodeExactJson(record);
          if (until !== undefined && !holds(until, { event: value })) return true;
          event = value;
          return false;
        } catch (error) {
          // Skip records that cannot be decoded, and records without the fields that `until` uses: neither is the awaited record.
          if (error instanceof Undecodable || isUnanswerable(error)) return true;
          throw error;
        }
      },
    );
    if (next === undefined) throw notYet(`There is no topic '${topic}' at ${connections.kafka.brokers.join(', ')} yet.`);
    if (event !== undefined) return { event };
    progress(next);
  } catch (error) {
    throw kafkaFailure(error, connections.kafka, `read ${topic}`);
  }
  throw notYet(`No record of ${topic} yet${until === undefined ? '' : ` for which ${until}`}.`);
}

/** Whether a condition cannot be evaluated on a record. */
function isUnanswerable(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.type === 'InvalidParameters';
}
