import Type, { type Static } from 'typebox';
import { openRabbitMQ, type RabbitMQConnection } from '../lib/rabbitmq.ts';
import { RabbitMQManagement } from '../lib/rabbitmq-management.ts';
import { choice, count, duration, flag, map, text } from '../lib/schema-fields.ts';
import { isMap, type Json } from '../workflows/plan/values/json.ts';
import { parseDuration } from '../workflows/plan/values/duration.ts';
import { defineResource, type ResourceServer } from './define-resource.ts';
import { type Fields, textOf } from './fields.ts';
import { argumentFields, RABBITMQ_NAME } from './rabbitmq-arguments.ts';

const QueueKeys = Type.Object({
  queue_type: Type.Optional(choice('Queue type', 'A quorum queue is replicated. Default: classic.', ['classic', 'quorum'])),
  durable: Type.Optional(flag('Durable', 'Whether it survives a restart of the server. Default: true.', true)),
  dead_letter_exchange: Type.Optional(
    text('Dead-letter exchange', 'Gets the messages that are refused, too old or too many.', 'orders.dead'),
  ),
  dead_letter_routing_key: Type.Optional(
    text('Dead-letter routing key', 'Their routing key there. Default: their own.', 'order_processing'),
  ),
  message_ttl: Type.Optional(duration('Time to live', 'How long a message waits at most.', '7d')),
  max_length: Type.Optional(count('Maximum length', 'How many messages the queue holds at most.', 1_000_000)),
  bindings: Type.Optional(
    Type.Array(
      map(
        'Binding',
        'An exchange that routes messages to the queue.',
        { exchange: 'orders', routing_key: 'order.created' },
        {
          exchange: text('Exchange', 'The exchange.', 'orders'),
          routing_key: Type.Optional(
            Type.String({
              title: 'Routing key',
              description: 'The key that messages must have. Default: empty.',
              examples: ['order.created'],
            }),
          ),
        },
      ),
      {
        title: 'Bindings',
        description:
          'All bindings of the queue. Absent: bindings are not compared. The binding that every queue has to the default exchange is not listed.',
        examples: [[{ exchange: 'orders', routing_key: 'order.created' }]],
      },
    ),
  ),
});
type QueueKeys = Static<typeof QueueKeys>;
type Bindings = NonNullable<QueueKeys['bindings']>;

const BINDING = 'bindings.';
/** Between the exchange and the routing key in the name of a field. */
const TO = ' → ';

export const rabbitmqQueue = defineResource({
  type: 'rabbitmq_queue',
  description: 'A queue of RabbitMQ with its bindings, by the management API.',
  name: { ...RABBITMQ_NAME, description: 'The name of the queue.', example: 'order_processing' },
  connection: { default: 'rabbitmq_default', types: ['rabbitmq'] },
  params: QueueKeys,
  fields: (keys) => ({ durable: keys.durable ?? true, ...argumentFields(argumentsOf(keys)), ...bindingFields(keys.bindings ?? []) }),
  whyFixed({ field, actual, declared }) {
    if (field.startsWith(BINDING)) return undefined;
    const change = actual === undefined || declared === undefined ? '' : ` from ${textOf(actual)} to ${textOf(declared)}`;
    return (
      `RabbitMQ cannot change '${field}' of a queue${change}. Declare what it has, or set a policy (rabbitmqctl set_policy); ` +
      'or empty and delete the queue, and apply again.'
    );
  },
  deletesContents: false,
  open: (connection, signal) => Promise.resolve(serverOf(connection, new RabbitMQManagement(connection, signal))),
  example: { name: 'order_processing', type: 'rabbitmq_queue', dead_letter_exchange: 'orders.dead' },
});

/** The arguments as RabbitMQ names them: https://www.rabbitmq.com/docs/queues#optional-arguments */
function argumentsOf(keys: QueueKeys): Record<string, string | number> {
  const { queue_type: type, message_ttl: ttl } = keys;
  const given = {
    // Not for a classic queue: publishers that declare it without the argument would be refused.
    'x-queue-type': type === 'quorum' ? type : undefined,
    'x-dead-letter-exchange': keys.dead_letter_exchange,
    'x-dead-letter-routing-key': keys.dead_letter_routing_key,
    'x-message-ttl': ttl === undefined ? undefined : Number(parseDuration(ttl)),
    'x-max-length': keys.max_length,
  };
  return Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

function bindingFields(bindings: readonly { readonly exchange: string; readonly routing_key?: string }[]): Fields {
  return Object.fromEntries(bindings.map(({ exchange, routing_key: key = '' }) => [`${BINDING}${exchange}${TO}${key}`, true]));
}

/** A binding in RabbitMQ's answer. */
interface FoundBinding {
  readonly exchange: string;
  readonly routing_key: string;
  /** Identifies it in requests. */
  readonly propertiesKey: string;
}

function serverOf(connection: RabbitMQConnection, server: RabbitMQManagement): ResourceServer<QueueKeys> {
  const bindingsOf = async (name: string): Promise<readonly FoundBinding[]> => {
    const found = await server.get('queues', name, 'bindings');
    return (Array.isArray(found) ? (found as readonly Json[]) : [])
      .filter(isMap)
      .flatMap(({ source, routing_key: key, properties_key: id }) =>
        // Every queue is bound to the default exchange, whose name is empty.
        source === '' ? [] : [{ exchange: String(source), routing_key: String(key), propertiesKey: String(id) }],
      );
  };
  const bind = async (name: string, bindings: Bindings): Promise<void> => {
    for (const { exchange, routing_key = '' } of bindings)
      await server.post({ routing_key, arguments: {} }, 'bindings', 'e', exchange, 'q', name);
  };
  return {
    async read(name, { bindings }): Promise<Fields | undefined> {
      const found = await server.get('queues', name);
      if (!isMap(found)) return undefined;
      const given = isMap(found.arguments) ? found.arguments : {};
      const { 'x-queue-type': type, ...others } = given;
      return {
        durable: found.durable === true,
        ...argumentFields(type === undefined || type === 'classic' ? others : given),
        ...(bindings && bindingFields(await bindingsOf(name))),
      };
    },
    async create(name, keys) {
      await server.put({ durable: keys.durable ?? true, auto_delete: false, arguments: argumentsOf(keys) }, 'queues', name);
      await bind(name, keys.bindings ?? []);
    },
    async update(name, { bindings = [] }) {
      await bind(name, bindings);
      const declared = bindingFields(bindings);
      for (const { exchange, routing_key, propertiesKey } of await bindingsOf(name))
        if (!(`${BINDING}${exchange}${TO}${routing_key}` in declared))
          await server.delete('', 'bindings', 'e', exchange, 'q', name, propertiesKey);
    },
    // The management API counts messages every few seconds only.
    contents: (name) => countMessages(connection, name),
    // Conditions, because messages may arrive at any moment. RabbitMQ has none for quorum queues: there it counts that it was empty just now.
    async delete(name) {
      const found = await server.get('queues', name);
      const isQuorum = isMap(found) && found.type === 'quorum';
      await server.delete(isQuorum ? '' : 'if-empty=true&if-unused=true', 'queues', name);
    },
    close: () => Promise.resolve(),
  };
}

/** Counts messages and consumers of a queue. @returns undefined for none, and for a queue that does not exist */
async function countMessages(connection: RabbitMQConnection, name: string): Promise<string | undefined> {
  const session = await openRabbitMQ(connection, 'sluice-resources');
  try {
    const channel = await session.createChannel();
    // A missing queue closes the channel, and the error is also emitted.
    channel.on('error', () => undefined);
    const { messageCount, consumerCount } = await channel.checkQueue(name).catch((error: unknown) => {
      if ((error as { code?: unknown }).code === NOT_FOUND) return { messageCount: 0, consumerCount: 0 };
      throw error;
    });
    const counts = [counted(messageCount, 'message'), counted(consumerCount, 'consumer')].filter((each) => each !== undefined);
    return counts.length === 0 ? undefined : counts.join(' and ');
  } finally {
    await session.close();
  }
}

/** AMQP's reply code. */
const NOT_FOUND = 404;

function counted(number: number, what: string): string | undefined {
  return number === 0 ? undefined : `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`;
}
