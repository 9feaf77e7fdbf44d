import Type from 'typebox';
import { text } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';

/** Writes a record to Kafka. */
export const kafkaPublish = declareTask({
  type: 'kafka_publish',
  runtime: 'planned',
  description: 'Writes a record to a Kafka topic, with an idempotency key in a header.',
  summary: ({ topic }) => `→ ${topic}`,
  params: Type.Object({
    topic: text('Topic', 'The topic.', 'product-updates'),
    key: Type.Optional(text('Key', "The record's key.", '{{ params.product_id }}')),
    value: Type.Unknown({ title: 'Value', description: 'The record, written as JSON.', examples: [{ loaded: '{{ outputs.load.rows }}' }] }),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String(), { title: 'Headers', description: 'Written with it.', examples: [{ source: 'sluice' }] }),
    ),
  }),
  result: Type.Object({ topic: Type.String(), partition: Type.Integer(), offset: Type.String() }),
  connections: { kafka: { key: 'kafka_conn_id', default: 'kafka_default', types: ['kafka'], description: 'The Kafka to write to.' } },
  example: { name: 'tell_others', type: 'kafka_publish', topic: 'product-updates', value: { day: '{{ ds }}' } },
});
