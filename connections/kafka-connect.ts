import type { KafkaConnectConnection } from '../lib/kafka-connect/kafka-connect.ts';
import { defineConnection } from './define-connection.ts';
import { fieldsOfProtocol, readService, SERVICE_FIELDS } from './service.ts';

export const kafkaConnect = defineConnection<KafkaConnectConnection>({
  type: 'kafka_connect',
  description: 'The REST API of Kafka Connect, of any worker of its group',
  schemes: ['kafka-connect', 'kafka-connect+http', 'kafka-connect+https'],
  example: 'kafka-connect+https://user:password@host:8083',
  fields: SERVICE_FIELDS,
  fieldsOfUri: (uri) => fieldsOfProtocol('kafka-connect', uri),
  read: (fields) => ({ type: 'kafka_connect', ...readService(fields) }),
  async check(connection, signal) {
    const { KafkaConnect } = await import('../lib/kafka-connect/kafka-connect.ts');
    const client = new KafkaConnect(connection, signal);
    const [{ version }, connectors] = [await client.server(), await client.connectors()];
    return `Kafka Connect ${version} at ${connection.url}, ${connectors.length} connector${connectors.length === 1 ? '' : 's'}`;
  },
});
