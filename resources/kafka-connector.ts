import Type, { type Static } from 'typebox';
import type { KafkaConnect } from '../lib/kafka-connect/kafka-connect.ts';
import { connectionField } from '../connections/connection-field.ts';
import { count, duration, map, text } from '../lib/schema-fields.ts';
import { defineResource, type KeyMistake, type ResourceServer, type SecretReader } from './define-resource.ts';
import { type Fields, type FieldValue, Hidden, textOf } from './fields.ts';

/** A value that a connection has, such as the password of a database. */
const FromConnection = Type.Object(
  {
    conn_id: connectionField('The connection that has the value.', 'mysql_legacy', []),
    field: text('Field', 'The field of the connection.', 'password'),
  },
  { additionalProperties: false, title: 'From a connection', description: 'A field of a connection, which may be secret.' },
);

const ConnectorKeys = Type.Object({
  config: Type.Record(
    Type.String({ pattern: '^[A-Za-z0-9_.-]+$' }),
    Type.Union([Type.String(), Type.Number(), Type.Boolean(), FromConnection]),
    {
      title: 'Configuration',
      description:
        'The whole configuration of the connector. A value may come from a connection, as `{conn_id: mysql_legacy, field: password}`; it is read when the resource is applied, and never shown.',
      examples: [{ 'connector.class': 'org.apache.kafka.connect.mirror.MirrorSourceConnector', 'tasks.max': 1 }],
    },
  ),
  restart: Type.Optional(
    map(
      'Restart',
      'How the monitors restart the connector, or tasks of it, when they have failed.',
      { attempts: 5, backoff: '30s' },
      {
        attempts: Type.Optional(
          count('Attempts', 'Maximum number of restarts; then it stays failed until a person acts. Default: 5.', 5, 0),
        ),
        backoff: Type.Optional(
          duration('Backoff', 'The pause before the first restart; it doubles with each further one, up to 1h. Default: 30s.', '30s'),
        ),
      },
    ),
  ),
});
type ConnectorKeys = Static<typeof ConnectorKeys>;

/** Names of settings whose values are never shown. */
const SECRET_NAME =
  /password|passwd|passphrase|secret|credential|token|private[._-]?key|access[._-]?key|api[._-]?key|account[._-]?key|keystore[._-]?key|jaas|user\.info/i;
/** A password within a value: in an address, or as an option of one. One that Kafka Connect resolves itself is none. */
const SECRET_PART = /:\/\/[^\s/:@]*:(?!\$\{)[^\s/@]+@|[?&;](?:password|passwd|pwd|secret|token)=(?!\$\{)[^\s&;]/i;
/** A reference that Kafka Connect resolves itself, such as `${env:MYSQL_PASSWORD}`: KIP-297. */
const REFERENCE = /^\$\{[a-z]\w*:[^}]+\}$/i;

export const kafkaConnector = defineResource({
  type: 'kafka_connector',
  description: 'A connector of Kafka Connect.',
  name: {
    description: 'The name of the connector.',
    pattern: '^[A-Za-z0-9_.-]{1,255}$',
    form: 'letters, digits and _ . -, at most 255 characters',
    example: 'product-catalogue',
  },
  connection: { default: 'kafka_connect_default', types: ['kafka_connect'] },
  params: ConnectorKeys,
  recorded: ['restart'],
  mistakes: ({ config }) =>
    Object.entries(config).flatMap(([key, value]): KeyMistake[] => {
      if (key === 'name') return [{ at: ['config', key], message: "'name' is the name of the resource.", hint: 'remove it' }];
      if (typeof value !== 'string' || !isSecret(key, value)) return [];
      return [
        {
          at: ['config', key],
          message: `'${key}' ${SECRET_NAME.test(key) ? 'is a secret' : 'contains a password'}, and would be in the file for all to read.`,
          hint: `name a connection that has it, {conn_id: …, field: password}; or a variable of the workers, \${env:NAME}`,
        },
      ];
    }),
  fields: ({ config }, secrets) =>
    Object.fromEntries(Object.entries(config).map(([key, value]): [string, FieldValue] => [`config.${key}`, valueOf(key, value, secrets)])),
  // Its offsets stay in Kafka: a connector of the same name continues there.
  deletesContents: true,
  async open(connection, signal) {
    const { KafkaConnect } = await import('../lib/kafka-connect/kafka-connect.ts');
    return serverOf(new KafkaConnect(connection, signal));
  },
  example: {
    name: 'product-catalogue',
    type: 'kafka_connector',
    config: {
      'connector.class': 'io.debezium.connector.mysql.MySqlConnector',
      'database.hostname': 'legacy-mysql',
      'database.user': 'cdc',
      'database.password': { conn_id: 'mysql_legacy', field: 'password' },
      'topic.prefix': 'legacy',
    },
  },
});

function valueOf(key: string, value: ConnectorKeys['config'][string], secrets: SecretReader): FieldValue {
  if (typeof value === 'object') return new Hidden(secrets.secret(value.conn_id, value.field));
  return shownOrHidden(key, String(value));
}

function shownOrHidden(key: string, value: string): FieldValue {
  return isSecret(key, value) ? new Hidden(value) : value;
}

/** A reference is not a secret itself. */
function isSecret(key: string, value: string): boolean {
  return (SECRET_NAME.test(key) && !REFERENCE.test(value)) || SECRET_PART.test(value);
}

const CONFIG = 'config.';

function serverOf(server: KafkaConnect): ResourceServer<ConnectorKeys> {
  const put = async (name: string, fields: Fields): Promise<void> => {
    const config = Object.entries(fields).map(([field, value]): [string, string] => [field.slice(CONFIG.length), textOf(value)]);
    await server.putConfig(name, Object.fromEntries(config));
  };
  return {
    async read(name): Promise<Fields | undefined> {
      const config = await server.config(name);
      if (!config) return undefined;
      const own = Object.entries(config).filter(([key]) => key !== 'name');
      return Object.fromEntries(own.map(([key, value]): [string, FieldValue] => [`${CONFIG}${key}`, shownOrHidden(key, value)]));
    },
    create: (name, _, fields) => put(name, fields),
    update: (name, _, fields) => put(name, fields),
    contents: () => Promise.resolve(undefined),
    delete: async (name) => void (await server.delete(name)),
    close: () => Promise.resolve(),
  };
}
