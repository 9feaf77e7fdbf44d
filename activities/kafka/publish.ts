import type { Kafka } from 'kafkajs';
import type { KafkaConnection } from '../../lib/kafka/connection.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { kafkaErrorType } from '../../lib/kafka/error-type.ts';
import { publishRecord, type RecordPlace } from '../../lib/kafka/publish-record.ts';
import { untilAborted } from '../../lib/until-aborted.ts';
import { exactJsonText } from '../../workflows/plan/values/exact-json.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { TaskContext } from '../define-task.ts';
import { userFault } from '../run/errors.ts';
import { didYouMean } from '../support/nearest.ts';
import { kafkaFailure } from './kafka-failure.ts';
import { IDEMPOTENCY_KEY } from '../../lib/idempotency-header.ts';

interface PublishParams {
  readonly topic: string;
  readonly key?: string;
  readonly value: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Writes a record with a key that identifies duplicates from a second attempt. */
export async function publish(
  { connections, idempotencyKey, signal }: TaskContext & { readonly connections: { readonly kafka: KafkaConnection } },
  { topic, key, value, headers }: PublishParams,
): Promise<RecordPlace> {
  const kafka = createKafka(connections.kafka, 'sluice-task');
  const text = exactJsonText(value);
  try {
    const record = { topic, ...(key !== undefined && { key }), value: text, headers: { ...headers, [IDEMPOTENCY_KEY]: idempotencyKey } };
    return await publishRecord(kafka, { ...record, identity: idempotencyKey }, signal);
  } catch (error) {
    signal.throwIfAborted();
    const place = `${connections.kafka.brokers.join(', ')}`;
    switch (kafkaErrorType(error)) {
      case 'UNKNOWN_TOPIC_OR_PARTITION':
        throw userFault(
          'InvalidParameters',
          `There is no topic '${topic}' at ${place}.${await topicsLike(kafka, topic, signal)} Topics are not made by writing to them: ask for it to be created.`,
          error,
        );
      case 'MESSAGE_TOO_LARGE':
      case 'RECORD_LIST_TOO_LARGE':
        throw userFault(
          'DataDoesNotFit',
          `The record has ${Buffer.byteLength(text)} bytes, and the topic '${topic}' takes no such record (its max.message.bytes, 1 MiB unless it was ` +
            'changed). Write the data to S3, and publish where it is.',
          error,
        );
      case 'INVALID_RECORD':
        throw userFault(
          'DataDoesNotFit',
          `The topic '${topic}' refuses the record${key === undefined ? ': it is compacted, and needs a key. Give the task a key' : ` with the key '${key}'`}.`,
          error,
        );
      default:
        throw kafkaFailure(error, connections.kafka, `write to ${topic}`);
    }
  }
}

/** Similar topic names, as a question; empty if the topics cannot be listed. */
async function topicsLike(kafka: Kafka, topic: string, signal: AbortSignal): Promise<string> {
  const admin = kafka.admin();
  const list = async (): Promise<string[]> => {
    await admin.connect();
    return admin.listTopics().finally(() => admin.disconnect());
  };
  return didYouMean(topic, await untilAborted(signal, list()).catch(() => []));
}
