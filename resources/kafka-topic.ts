import type { Admin } from 'kafkajs';
import Type from 'typebox';
import { count } from '../lib/schema-fields.ts';
import { defineResource, type ResourceServer } from './define-resource.ts';
import { type Fields, fieldsOfMap } from './fields.ts';

const TopicKeys = Type.Object({
  partitions: count('Partitions', 'How many partitions the topic has. They can be increased, never reduced.', 6),
  replication_factor: Type.Optional(
    count('Replication factor', 'How many brokers keep each partition. Default: that of the cluster; it is not compared then.', 3),
  ),
  config: Type.Optional(
    Type.Record(Type.String({ pattern: '^[a-z][a-z.]*$' }), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
      title: 'Configuration',
      description: "The topic's own settings, by Kafka's names. A setting that is not listed has the default of the cluster.",
      examples: [{ 'retention.ms': 604_800_000, 'cleanup.policy': 'delete' }],
    }),
  ),
});

/** A setting of the topic itself, in Kafka's answer; others come from the broker: DescribeConfigsResponse, `config_source`. */
const OF_TOPIC = 1;
/** kafkajs' ConfigResourceTypes.TOPIC: the package is loaded only to open a connection. */
const TOPIC = 2;
/** Kafka takes the default of the cluster. */
const OF_CLUSTER = -1;
/** Time limit for brokers to carry out a change, in milliseconds. */
const TIMEOUT_MS = 20_000;

export const kafkaTopic = defineResource({
  type: 'kafka_topic',
  description: 'A topic of Kafka.',
  name: {
    description: 'The name of the topic.',
    pattern: '^(?!\\.{1,2}$)[A-Za-z0-9._-]{1,249}$',
    form: 'letters, digits, dots, _ and -, at most 249 characters',
    example: 'product-updates',
  },
  connection: { default: 'kafka_default', types: ['kafka'] },
  params: TopicKeys,
  fields: ({ partitions, replication_factor, config = {} }) => ({
    partitions,
    ...(replication_factor !== undefined && { replication_factor }),
    ...fieldsOfMap('config', config),
  }),
  whyFixed({ field, actual, declared }) {
    if (field === 'partitions' && Number(actual) > Number(declared))
      return `Kafka cannot reduce the partitions of a topic from ${Number(actual)} to ${Number(declared)}. Declare ${Number(actual)}, or copy the records into a new topic.`;
    if (field === 'replication_factor')
      return `The replication factor is ${Number(actual)}, and ${Number(declared)} needs a reassignment of all partitions. Run kafka-reassign-partitions.sh, or declare ${Number(actual)}.`;
    return undefined;
  },
  deletesContents: true,
  async open(connection) {
    const { createKafka } = await import('../lib/kafka/client.ts');
    const admin = createKafka(connection, 'sluice-resources').admin();
    await admin.connect();
    return serverOf(admin);
  },
  example: { name: 'product-updates', type: 'kafka_topic', partitions: 6, config: { 'retention.ms': 604_800_000 } },
});

function serverOf(admin: Admin): ResourceServer<Type.Static<typeof TopicKeys>> {
  /** Listing creates no topic; asking for the metadata of one may. */
  const exists = async (name: string): Promise<boolean> => (await admin.listTopics()).includes(name);
  return {
    async read(name, { replication_factor }): Promise<Fields | undefined> {
      if (!(await exists(name))) return undefined;
      const [{ topics }, { resources }] = await Promise.all([
        admin.fetchTopicMetadata({ topics: [name] }),
        admin.describeConfigs({ includeSynonyms: false, resources: [{ type: TOPIC, name }] }),
      ]);
      const partitions = topics[0]?.partitions ?? [];
      const own = (resources[0]?.configEntries ?? []).filter(({ configSource }) => Number(configSource) === OF_TOPIC);
      return {
        partitions: partitions.length,
        ...(replication_factor !== undefined && { replication_factor: partitions[0]?.replicas.length ?? 0 }),
        ...fieldsOfMap('config', Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue]))),
      };
    },
    async create(name, { partitions, replication_factor = OF_CLUSTER, config = {} }) {
      const isCreated = await admin.createTopics({
        topics: [{ topic: name, numPartitions: partitions, replicationFactor: replication_factor, configEntries: entriesOf(config) }],
        timeout: TIMEOUT_MS,
        // The client's own wait fails on a broker that does not know the topic yet.
        waitForLeaders: false,
      });
      if (!isCreated) throw new Error(`The topic '${name}' was created by another client in the meantime.`);
    },
    async update(name, { partitions, config = {} }, _, differences) {
      if (differences.some(({ field }) => field === 'partitions'))
        await admin.createPartitions({ topicPartitions: [{ topic: name, count: partitions }], timeout: TIMEOUT_MS });
      // Settings that are not named get the default of the cluster.
      if (differences.some(({ field }) => field.startsWith('config.')))
        await admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name, configEntries: entriesOf(config) }] });
    },
    async contents(name) {
      if (!(await exists(name))) return undefined;
      const offsets = await admin.fetchTopicOffsets(name);
      const records = offsets.reduce((sum, { high, low }) => sum + BigInt(high) - BigInt(low), 0n);
      return records === 0n ? undefined : `${records.toLocaleString('en')} record${records === 1n ? '' : 's'}`;
    },
    async delete(name) {
      if (await exists(name)) await admin.deleteTopics({ topics: [name], timeout: TIMEOUT_MS });
    },
    close: () => admin.disconnect(),
  };
}

function entriesOf(config: Readonly<Record<string, string | number | boolean>>): { name: string; value: string }[] {
  return Object.entries(config).map(([name, value]) => ({ name, value: String(value) }));
}
