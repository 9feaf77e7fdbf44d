import { isEncrypted } from '../lib/encryption.ts';
import type { RabbitMQConnection } from '../lib/rabbitmq.ts';
import { defineConnection } from './define-connection.ts';
import { serverParts } from './uri.ts';

export const rabbitmq = defineConnection<RabbitMQConnection>({
  type: 'rabbitmq',
  description: 'RabbitMQ',
  schemes: ['amqp', 'amqps'],
  example: 'amqps://user:password@host/vhost',
  fields: {
    host: { description: 'the name or the address of the server', inExpressions: 'string' },
    port: { description: 'its port; by default 5671, in clear 5672', inExpressions: 'int' },
    user: { description: 'who logs in; by default `guest`' },
    password: { description: 'their password; by default `guest`', secret: 'all' },
    vhost: { description: 'the virtual host; by default `/`' },
    tls: { description: 'whether it is encrypted; by default it is, but on this machine', isOption: true },
  },
  fieldsOfUri(uri) {
    const { path, options, ...server } = serverParts(uri);
    const isSecure = uri.scheme === 'amqps';
    if (isSecure && options.tls === 'false') return uri.fail(`'tls' is false and the address begins with amqps://; leave one of them out.`);
    return { ...options, ...server, vhost: path, ...(isSecure && { tls: 'true' }) };
  },
  read(fields) {
    const host = fields.host();
    const tls = isEncrypted([host], fields.tls);
    return {
      type: 'rabbitmq',
      host,
      port: fields.port(tls ? 5671 : 5672),
      user: fields.optional('user') ?? 'guest',
      password: fields.optional('password') ?? 'guest',
      vhost: fields.optional('vhost') ?? '/',
      tls,
    };
  },
  async check(connection) {
    const { openRabbitMQ } = await import('../lib/rabbitmq.ts');
    const session = await openRabbitMQ(connection, 'sluice doctor');
    const { product, version } = session.connection.serverProperties;
    await session.close();
    return `${product} ${version} at ${connection.host}:${connection.port}, vhost ${connection.vhost}`;
  },
});
