import { isHostWithPort, isHttpUrl } from '../lib/addresses.ts';
import { encryptedUrl, isEncrypted } from '../lib/encryption.ts';
import { KAFKA_SECURITY, type KafkaConnection, SASL_MECHANISMS } from '../lib/kafka/connection.ts';
import { defineConnection } from './define-connection.ts';
import { ENCODE } from './uri.ts';

/** By whether there is a user, and whether the connection is encrypted. */
const USUAL_SECURITY = {
  anybody: { secure: 'SSL', clear: 'PLAINTEXT' },
  user: { secure: 'SASL_SSL', clear: 'SASL_PLAINTEXT' },
} as const satisfies Record<string, Record<string, (typeof KAFKA_SECURITY)[number]>>;

const words = (values: readonly string[]): string => values.map((value) => `\`${value}\``).join(', ');

export const kafka = defineConnection<KafkaConnection>({
  type: 'kafka',
  description: 'Apache Kafka, with its Schema Registry',
  schemes: ['kafka'],
  example: 'kafka://host:9092',
  fields: {
    brokers: {
      description: '`host:port` of one broker or more, separated by commas',
      isList: true,
      inExpressions: { list: 'string' },
    },
    security_protocol: {
      description: `${words(KAFKA_SECURITY)}; by default by whether there is a user, and encrypted but on this machine`,
      isOption: true,
    },
    sasl_mechanism: { description: `${words(SASL_MECHANISMS)}; by default \`PLAIN\``, isOption: true },
    username: { description: 'who logs in' },
    password: { description: 'their password', secret: 'all' },
    ca: { description: 'a file with the certificates that are trusted; by default those of the machine', isOption: true },
    schema_registry: {
      description: 'the address of a Schema Registry, with user and password where it asks for them',
      isOption: true,
      secret: 'address',
    },
    tls: { description: 'whether all of it is encrypted; by default it is, but on this machine', isOption: true },
  },
  /** Several hosts, which a URL cannot have. */
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
      fail(`'tls' is ${tls} and 'security_protocol' is ${protocol}; leave one of them out.`);
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
