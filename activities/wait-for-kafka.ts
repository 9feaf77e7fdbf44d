import Type from 'typebox';
import { expression, text } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';
import { WAIT_KEYS } from './wait-keys.ts';

/** Waits for a record. */
export const waitForKafka = declareTask({
  type: 'wait_for_kafka',
  runtime: 'planned',
  description: 'Waits for a record of a Kafka topic; waiting holds no worker.',
  summary: ({ topic }) => topic,
  params: Type.Object({
    topic: text('Topic', 'The topic.', 'product-updates'),
    until: Type.Optional(expression('Until', 'A condition over the record, as event.', 'event.day == ds', ['event'])),
    ...WAIT_KEYS,
  }),
  result: Type.Object({ event: Type.Unknown() }),
  connections: { kafka: { key: 'kafka_conn_id', default: 'kafka_default', types: ['kafka'], description: 'The Kafka.' } },
  example: { name: 'wait_for_updates', type: 'wait_for_kafka', topic: 'product-updates', timeout: '6h' },
});
