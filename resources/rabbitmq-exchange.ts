import Type, { type Static } from 'typebox';
import { RabbitMQManagement } from '../lib/rabbitmq-management.ts';
import { choice, flag, text } from '../lib/schema-fields.ts';
import { isMap } from '../workflows/plan/values/json.ts';
import { defineResource, type ResourceServer } from './define-resource.ts';
import { type Fields, textOf } from './fields.ts';
import { argumentFields, RABBITMQ_NAME } from './rabbitmq-arguments.ts';

const ExchangeKeys = Type.Object({
  kind: choice('Kind', 'How the exchange routes messages.', ['direct', 'fanout', 'topic', 'headers']),
  durable: Type.Optional(flag('Durable', 'Whether it survives a restart of the server. Default: true.', true)),
  alternate_exchange: Type.Optional(text('Alternate exchange', 'Gets the messages that no binding routes.', 'unrouted')),
});
type ExchangeKeys = Static<typeof ExchangeKeys>;

export const rabbitmqExchange = defineResource({
  type: 'rabbitmq_exchange',
  description: 'An exchange of RabbitMQ, by its management API. Queues declare their bindings to it.',
  name: { ...RABBITMQ_NAME, description: 'The name of the exchange.', example: 'orders' },
  connection: { default: 'rabbitmq_default', types: ['rabbitmq'] },
  params: ExchangeKeys,
  fields: (keys) => ({ kind: keys.kind, durable: keys.durable ?? true, ...argumentFields(argumentsOf(keys)) }),
  whyFixed: ({ field, actual, declared }) =>
    `RabbitMQ cannot change '${field}' of an exchange${actual === undefined || declared === undefined ? '' : ` from ${textOf(actual)} to ${textOf(declared)}`}. ` +
    'Declare another exchange, bind the queues to it, move the publishers, then delete this one.',
  deletesContents: false,
  open: (connection, signal) => Promise.resolve(serverOf(new RabbitMQManagement(connection, signal))),
  example: { name: 'orders.dead', type: 'rabbitmq_exchange', kind: 'fanout' },
});

function argumentsOf({ alternate_exchange: alternate }: ExchangeKeys): Record<string, string> {
  return alternate === undefined ? {} : { 'alternate-exchange': alternate };
}

function serverOf(server: RabbitMQManagement): ResourceServer<ExchangeKeys> {
  return {
    async read(name): Promise<Fields | undefined> {
      const found = await server.get('exchanges', name);
      if (!isMap(found)) return undefined;
      return { kind: String(found.type), durable: found.durable === true, ...argumentFields(found.arguments) };
    },
    create: (name, keys) => server.put({ type: keys.kind, durable: keys.durable ?? true, arguments: argumentsOf(keys) }, 'exchanges', name),
    // Every field is fixed.
    update: () => Promise.resolve(),
    // RabbitMQ refuses to delete an exchange that has bindings; those of queues that are deleted too go first.
    contents: () => Promise.resolve(undefined),
    delete: (name) => server.delete('if-unused=true', 'exchanges', name),
    close: () => Promise.resolve(),
  };
}
