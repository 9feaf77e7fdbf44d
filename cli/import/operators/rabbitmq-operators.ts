import { connection, type Convert, jsonMessage, text } from '../argument-converters.ts';
import type { OperatorMapping, OperatorMappings } from './operator-mapping.ts';

const defaultExchange: Convert = (value) =>
  value === '' ? { keys: {} } : { lost: 'is not the default exchange: rabbitmq_publish sends to a queue' };

const publish = (connectionArgument: string, usualConnection: string): OperatorMapping => ({
  type: 'rabbitmq_publish',
  arguments: {
    [connectionArgument]: connection('conn_id'),
    exchange: defaultExchange,
    // The default exchange sends to the queue of this name.
    routing_key: text('queue_name'),
    queue_name: text('queue_name'),
    message: jsonMessage('value'),
  },
  // Messages are persistent and confirmed.
  ignored: ['use_async', 'confirm', 'mandatory', 'delivery_mode'],
  needs: ['queue_name', 'value'],
  essential: ['exchange', 'message', 'properties', 'headers', 'expiration', 'priority', 'reply_to', 'correlation_id'],
  defaults: { conn_id: usualConnection },
});

/** Operators that send a message, of three providers: airflow-provider-rabbitmq, apache-airflow-provider-rabbitmq and airflow-provider-rmq. */
export const RABBITMQ_OPERATORS = {
  RabbitMQOperator: publish('rabbitmq_conn_id', 'rabbitmq_default'),
  RabbitMQProducerOperator: publish('conn_id', 'rabbitmq_default'),
  RMQPublishOperator: publish('rmq_conn_id', 'rmq_default'),
} as const satisfies OperatorMappings;
