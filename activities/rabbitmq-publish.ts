import Type from 'typebox';
import { text } from '../lib/schema-fields.ts';
import type { Json } from '../workflows/plan/values/json.ts';
import { defineTask } from './define-task.ts';

/** Sends a message to RabbitMQ. */
export const rabbitmqPublish = defineTask({
  type: 'rabbitmq_publish',
  description: 'Sends a persistent message to RabbitMQ, with an idempotency key as its message_id and in its header `idempotency-key`.',
  summary: ({ queue_name }) => `→ ${queue_name}`,
  params: Type.Object({
    queue_name: text('Queue', 'The queue of RabbitMQ; it has to be there.', 'order_processing', { formerly: 'queue' }),
    value: Type.Unsafe<Json>(
      Type.Unknown({ title: 'Value', description: 'The message, written as JSON.', examples: [{ day: '{{ ds }}' }] }),
    ),
  }),
  writesTo: ({ queue_name: name }) => [{ kind: 'RabbitMQ queue', name, connection: 'rabbitmq' }],
  result: Type.Object({ queue: Type.String() }),
  ownsEffects: true,
  connections: {
    rabbitmq: {
      key: 'conn_id',
      formerly: 'connection',
      default: 'rabbitmq_default',
      types: ['rabbitmq'],
      description: 'The RabbitMQ to send to.',
    },
  },
  example: { name: 'tell_orders', type: 'rabbitmq_publish', queue_name: 'order_processing', value: { day: '{{ ds }}' } },
  run: async (context, task) => (await import('./rabbitmq/publish.ts')).publish(context, task),
});
