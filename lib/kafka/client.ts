import { Kafka, logLevel, type SASLOptions } from 'kafkajs';
import { readFileSync } from 'node:fs';
import { registerCodecs } from './codecs.ts';
import type { KafkaConnection } from './connection.ts';
import { waitForCoordinators } from './coordinator-loading.ts';
import { restIdleConnections } from './idle-connections.ts';
import { requestTopicIds } from './topic-ids.ts';

registerCodecs();
restIdleConnections();
requestTopicIds();

/**
 * Creates a client for the brokers of a connection. It logs nothing: its errors contain the details.
 * @param clientId shown by the broker
 */
export function createKafka(connection: KafkaConnection, clientId: string): Kafka {
  const { brokers, security_protocol: protocol = 'PLAINTEXT', ca } = connection;
  const sasl = saslOf(connection);
  const kafka = new Kafka({
    clientId,
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    ...(protocol.endsWith('SSL') && { ssl: ca === undefined ? true : { ca: [readFileSync(ca, 'utf8')] } }),
    ...(sasl && { sasl }),
    retry: { initialRetryTime: 200, maxRetryTime: 5_000, retries: 5 },
  });
  return waitForCoordinators(kafka);
}

function saslOf({ sasl_mechanism: mechanism = 'PLAIN', username, password = '' }: KafkaConnection): SASLOptions | undefined {
  if (username === undefined) return undefined;
  switch (mechanism) {
    case 'PLAIN':
      return { mechanism: 'plain', username, password };
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', username, password };
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', username, password };
  }
}
