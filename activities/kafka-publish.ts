import Type from 'typebox';
import { text } from '../lib/schema-fields.ts';
import { defineTask } from './define-task.ts';
import type { Json } from '../workflows/plan/values/json.ts';
import { IDEMPOTENCY_KEY } from '../lib/idempotency-header.ts';

/** Writes a record to Kafka. */
export const kafkaPublish = defineTask({
  type: 'kafka_publish',
  description: 'Writes a record to a Kafka topic, with an idempotency key in its header `idempotency-key`.',
  summary: ({ topic }) => `→ ${topic}`,
  params: Type.Object({
    topic: text('Topic', 'The topic; it has to be there.', 'product-updates', {
      pattern: '^(?!\\.{1,2}$)[A-Za-z0-9._-]{1,249}$',
      form: 'letters, digits, ., _ and -, at most 249',
    }),
    key: Type.Optional(text('Key', "The record's key: records of one key keep their order.", '{{ params.product_id }}')),
    value: Type.Unsafe<Json>(
      Type.Unknown({ title: 'Value', description: 'The record, written as JSON.', examples: [{ loaded: '{{ outputs.load.rows }}' }] }),
    ),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String(), { title: 'Headers', description: 'Written with it.', examples: [{ source: 'sluice' }] }),
    ),
  }),
  mistakes: ({ headers = {} }) =>
    Object.keys(headers)
      .filter((name) => name.toLowerCase() === IDEMPOTENCY_KEY)
      .map((name) => ({
        at: ['headers', name],
        message: `The header '${name}' is set by Sluice: readers recognise a record by it that was written twice.`,
        hint: 'remove it, or give it another name',
      })),
  writesTo: ({ topic }) => [{ kind: 'Kafka topic', name: topic, connection: 'kafka' }],
  result: Type.Object({ topic: Type.String(), partition: Type.Integer(), offset: Type.String() }),
  ownsEffects: true,
  connections: {
    kafka: { key: 'conn_id', formerly: 'kafka_conn_id', default: 'kafka_default', types: ['kafka'], description: 'The Kafka to write to.' },
  },
  example: { name: 'tell_others', type: 'kafka_publish', topic: 'product-updates', value: { day: '{{ ds }}' } },
  run: async (context, task) => (await import('./kafka/publish.ts')).publish(context, task),
});
