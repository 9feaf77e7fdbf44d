import type { ChannelModel } from 'amqplib';
import { loadDriver } from './driver.ts';

export interface RabbitMQConnection {
  readonly type: 'rabbitmq';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly vhost: string;
  /** Encrypted, as with `amqps:`. */
  readonly tls: boolean;
  /** The management API; absent: at its usual port. */
  readonly management_url?: string;
}

/** The connection counts as broken after this much silence, in seconds. */
const HEARTBEAT = 10;

/** Opens a connection. @param name shown to administrators */
export async function openRabbitMQ({ host, port, user, password, vhost, tls }: RabbitMQConnection, name: string): Promise<ChannelModel> {
  const { connect } = await loadDriver('amqplib', 'RabbitMQ connections', () => import('amqplib'));
  return connect(
    { protocol: tls ? 'amqps' : 'amqp', hostname: host, port, username: user, password, vhost, heartbeat: HEARTBEAT },
    { timeout: 10_000, clientProperties: { connection_name: name } },
  );
}
