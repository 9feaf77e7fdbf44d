import { connect, type ChannelModel } from 'amqplib';
import type { RabbitMQConnection } from './connections.ts';

/** How long the server may be silent before the connection counts as broken, in seconds. */
const HEARTBEAT = 10;

/** Opens a connection. @param name what an administrator sees */
export function openRabbitMQ({ host, port, user, password, vhost, tls }: RabbitMQConnection, name: string): Promise<ChannelModel> {
  return connect(
    { protocol: tls ? 'amqps' : 'amqp', hostname: host, port, username: user, password, vhost, heartbeat: HEARTBEAT },
    { timeout: 10_000, clientProperties: { connection_name: name } },
  );
}
