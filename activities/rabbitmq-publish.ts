import Type from 'typebox';
import { text } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';

/** Sends a message to RabbitMQ. */
export const rabbitmqPublish = declareTask({
  type: 'rabbitmq_publish',
  runtime: 'planned',
  description: 'Sends a persistent message to RabbitMQ, with an idempotency key in a header.',
  summary: ({ queue }) => `→ ${queue}`,
  params: Type.Object({
    connection: Type.Optional(text('Connection', 'The RabbitMQ. Default: rabbitmq_default.', 'rabbitmq_default', { template: 'none' })),
    queue: text('Queue', 'The queue.', 'order_processing'),
    value: Type.Unknown({ title: 'Value', description: 'The message, written as JSON.', examples: [{ day: '{{ ds }}' }] }),
  }),
  result: Type.Object({ queue: Type.String() }),
  connections: {},
  example: { name: 'tell_orders', type: 'rabbitmq_publish', queue: 'order_processing', value: { day: '{{ ds }}' } },
});
