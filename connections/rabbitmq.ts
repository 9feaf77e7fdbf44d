import { encryptedUrl, isEncrypted } from '../lib/encryption.ts';
import type { RabbitMQConnection } from '../lib/rabbitmq.ts';
import { defineConnection } from './define-connection.ts';
import { serverParts } from './uri.ts';

export const rabbitmq = defineConnection<RabbitMQConnection>({
  type: 'rabbitmq',
  description: 'RabbitMQ',
  schemes: ['amqp', 'amqps'],
  example: 'amqps://user:password@host/vhost',
  fields: {
    host: { description: 'host name or IP address of the server', inExpressions: 'string' },
    port: { description: 'port; by default 5671, or 5672 without encryption', inExpressions: 'int' },
    user: { description: 'user name; by default `guest`' },
    password: { description: 'password; by default `guest`', secret: 'all' },
    vhost: { description: 'virtual host; by default `/`' },
    management_url: {
      description:
        'the URL of the management API, which declared queues and exchanges need; by default port 15671 of the host, or 15672 without encryption',
      isOption: true,
      secret: 'address',
    },
    tls: { description: 'whether to encrypt the connection; by default `true`, except on this machine', isOption: true },
  },
  fieldsOfUri(uri) {
    const { path, options, ...server } = serverParts(uri);
    const isSecure = uri.scheme === 'amqps';
    if (isSecure && options.tls === 'false') return uri.fail(`'tls' is false but the address starts with amqps://; remove one of them.`);
    return { ...options, ...server, vhost: path, ...(isSecure && { tls: 'true' }) };
  },
  read(fields) {
    const host = fields.host();
    const tls = isEncrypted([host], fields.tls);
    const management = fields.address('management_url');
    return {
      type: 'rabbitmq',
      host,
      port: fields.port(tls ? 5671 : 5672),
      user: fields.optional('user') ?? 'guest',
      password: fields.optional('password') ?? 'guest',
      vhost: fields.optional('vhost') ?? '/',
      tls,
      ...(management !== undefined && { management_url: encryptedUrl(management, fields.tls, fields.fail) }),
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
