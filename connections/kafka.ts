import { isHostWithPort, isHttpUrl } from '../lib/addresses.ts';
import { encryptedUrl, isEncrypted } from '../lib/encryption.ts';
import { KAFKA_SECURITY, type KafkaConnection, SASL_MECHANISMS } from '../lib/kafka/connection.ts';
import { defineConnection } from './define-connection.ts';
import { ENCODE } from './uri.ts';

/** Default protocols, depending on whether there is a user and whether the connection is encrypted. */
const USUAL_SECURITY = {
  anybody: { secure: 'SSL', clear: 'PLAINTEXT' },
  user: { secure: 'SASL_SSL', clear: 'SASL_PLAINTEXT' },
} as const satisfies Record<string, Record<string, (typeof KAFKA_SECURITY)[number]>>;

const words = (values: readonly string[]): string => values.map((value) => `\`${value}\``).join(', ');

export const kafka = defineConnection<KafkaConnection>({
  type: 'kafka',
  description: 'Apache Kafka, optionally with a Schema Registry',
  schemes: ['kafka'],
  example: 'kafka://host:9092',
  fields: {
    brokers: {
      description: '`host:port` of one or more brokers, separated by commas',
      isList: true,
      inExpressions: { list: 'string' },
    },
    security_protocol: {
      description: `${words(KAFKA_SECURITY)}; by default with SASL if \`user\` is set, and encrypted except on this machine`,
      isOption: true,
    },
    sasl_mechanism: { description: `${words(SASL_MECHANISMS)}; by default \`PLAIN\``, isOption: true },
    username: { description: 'user name' },
    password: { description: 'password', secret: 'all' },
    ca: { description: 'PEM file with trusted certificate authorities; by default those of the machine', isOption: true },
    schema_registry: {
      description: 'URL of a Schema Registry, with user and password if it requires them',
      isOption: true,
      secret: 'address',
    },
    tls: { description: 'whether to encrypt connections; by default `true`, except on this machine', isOption: true },
  },
  /** Parses several hosts, which a URL cannot contain. */
  fieldsOfUri({ scheme, text, fail, decode, options }) {
    const [, user = '', password = '', brokers = '', query = ''] =
      /^(?:([^@:/?]*)(?::([^@:/?]*))?@)?([^@/?]*)\/?(?:\?(.*))?$/.exec(text.slice(`${scheme}://`.length)) ??
      fail(`the URI is not valid; ${ENCODE}`);
    return { ...options(new URLSearchParams(query)), brokers, username: decode(user), password: decode(password) };
  },
  read({ required, optional, oneOf, tls, fail }) {
    const brokers = required('brokers').split(',');
    if (!brokers.every(isHostWithPort))
      fail(`each of 'brokers' must be of the form host:port; characters such as @ / # ? in a password must be percent-encoded.`);
    const [username, password, ca] = [optional('username'), optional('password'), optional('ca')];
    const registry = optional('schema_registry');
    if (registry !== undefined && !isHttpUrl(registry)) fail(`'schema_registry' is not a URL of the form https://host.`);
    const hosts = brokers.map((broker) => broker.replace(/:\d+$/, ''));
    const usual = USUAL_SECURITY[username === undefined ? 'anybody' : 'user'][isEncrypted(hosts, tls) ? 'secure' : 'clear'];
    const protocol = oneOf('security_protocol', KAFKA_SECURITY, usual);
    if (tls !== undefined && protocol.endsWith('SSL') !== tls)
      fail(`'tls' is ${tls} and 'security_protocol' is ${protocol}; remove one of them.`);
    return {
      type: 'kafka',
      brokers,
      security_protocol: protocol,
      ...(username !== undefined && { sasl_mechanism: oneOf('sasl_mechanism', SASL_MECHANISMS, 'PLAIN'), username }),
      ...(password !== undefined && { password }),
      ...(ca !== undefined && { ca }),
      ...(registry !== undefined && { schema_registry: encryptedUrl(registry, tls, fail) }),
    };
  },
  async check(connection) {
    const { createKafka } = await import('../lib/kafka/client.ts');
    const admin = createKafka(connection, 'sluice doctor').admin();
    try {
      await admin.connect();
      const { brokers } = await admin.describeCluster();
      return `Kafka at ${connection.brokers.join(', ')}, ${brokers.length} broker${brokers.length === 1 ? '' : 's'}`;
    } finally {
      await admin.disconnect();
    }
  },
});
