import { ApplicationFailure } from '@temporalio/activity';
import type { KafkaConnection } from '../../lib/kafka/connection.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { decodeExactJson, Undecodable } from '../../lib/kafka/decode-record.ts';
import { readTopic } from '../../lib/kafka/read-topic.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { TaskContext } from '../define-task.ts';
import { notYet } from '../run/errors.ts';
import { kafkaFailure } from './kafka-failure.ts';

/** The first record that meets the condition, among those since the data interval began. What has been read is not read by the next look. */
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
          // Whether others can be read is their matter: this one is not what is waited for, nor is one without what `until` asks for.
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

/** Whether a condition has no value over a record. */
function isUnanswerable(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.type === 'InvalidParameters';
}
