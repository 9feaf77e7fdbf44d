import Type from 'typebox';
import { text } from '../lib/schema-fields.ts';
import { defineTrigger } from './define-trigger.ts';
import { cannotReset } from './run/time-cursor.ts';
import { OnInvalid, StartMode } from './events/event-mode.ts';

/** Messages of a RabbitMQ queue. */
export const rabbitmq = defineTrigger({
  type: 'rabbitmq',
  description: 'Starts runs from the messages of a RabbitMQ queue; each is acknowledged when its run has started.',
  connection: { default: 'rabbitmq_default', types: ['rabbitmq'], formerly: 'rabbitmq_conn_id' },
  params: Type.Object({
    queue: text('Queue', 'The queue.', 'order_processing'),
    prefetch: Type.Optional(
      Type.Integer({ minimum: 1, title: 'Prefetch', description: 'How many messages may be under way. Default: 100.', examples: [100] }),
    ),
    mode: Type.Optional(StartMode),
    on_invalid: Type.Optional(OnInvalid),
  }),
  event: { meta: { message_id: 'string', routing_key: 'string', headers: { fields: {} }, redelivered: 'bool' } },
  watches: ({ queue }) => [{ kind: 'RabbitMQ queue', name: String(queue) }],
  sensor: {
    run: async (context) => (await import('./rabbitmq/watch-queue.ts')).watchQueue(context),
    reset: cannotReset('RabbitMQ keeps no messages that were acknowledged'),
  },
  example: { name: 'orders', type: 'rabbitmq', queue: 'order_processing' },
});
