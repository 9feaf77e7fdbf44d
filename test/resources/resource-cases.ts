import { DeleteObjectCommand, PutBucketTaggingCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ConfirmChannel } from 'amqplib';
import type { KafkaConnect } from '../../lib/kafka-connect/kafka-connect.ts';
import type { RegistrySubjects } from '../../lib/kafka/registry-subjects.ts';
import type { MySQLConnection } from '../../lib/databases/mysql.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { catalogueConnector } from '../support/catalogue-connector.ts';
import type { TestKafka } from '../support/kafka.ts';

/** The servers of the suite. */
export interface Servers {
  readonly kafka: TestKafka;
  readonly subjects: RegistrySubjects;
  readonly connect: KafkaConnect;
  readonly channel: ConfirmChannel;
  readonly s3: S3Client;
  readonly mysql: MySQLConnection;
}

/** The life of one resource. */
export interface ResourceCase {
  readonly type: string;
  /** The resource, as in YAML, without its name and type. */
  keys(servers: Servers, name: string): JsonObject;
  /** Changes it by hand, as an operator would on its server. */
  drift(servers: Servers, name: string): Promise<unknown>;
  /** The differences that `plan` then shows, by field: actual and declared; absent: it is to be created again. */
  readonly differences?: Readonly<Record<string, readonly [actual: string | null, declared: string | null]>>;
  /** Changes of the keys that the server cannot carry out in place, with the reason that `apply` gives. */
  readonly impossible?: { readonly keys: JsonObject; readonly reason: RegExp };
  /** Puts contents into it, as producers would, and removes them. */
  readonly contents?: {
    fill(servers: Servers, name: string): Promise<unknown>;
    empty(servers: Servers, name: string): Promise<unknown>;
    /** What `plan` says about them. */
    readonly shown: RegExp;
    /** Whether it is deleted with them. */
    readonly areDeleted: boolean;
  };
}

/** kafkajs' ConfigResourceTypes.TOPIC. */
const TOPIC = 2;
const recordSchema = (type: string): string => JSON.stringify({ type: 'record', name: 'View', fields: [{ name: 'product_id', type }] });
/** An exchange that every RabbitMQ has. */
const EXCHANGE = 'amq.direct';

export const RESOURCE_CASES: readonly ResourceCase[] = [
  {
    type: 'kafka_topic',
    keys: () => ({ partitions: 3, config: { 'retention.ms': 86_400_000 } }),
    drift({ kafka }, name) {
      const changed = { 'retention.ms': '1000', 'cleanup.policy': 'compact' };
      const configEntries = Object.entries(changed).map(([key, value]) => ({ name: key, value }));
      return kafka.admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name, configEntries }] });
    },
    differences: { 'config.cleanup.policy': ['compact', null], 'config.retention.ms': ['1000', '86400000'] },
    impossible: { keys: { partitions: 2 }, reason: /Kafka cannot reduce the partitions of a topic from 3 to 2\. Declare 3/ },
    contents: {
      fill: ({ kafka }, name) => kafka.sendJson(name, [{ id: 1 }, { id: 2 }]),
      empty: () => Promise.resolve(),
      shown: /it holds 2 records/,
      areDeleted: true,
    },
  },
  {
    type: 'schema_subject',
    keys: () => ({ schema: recordSchema('string'), compatibility: 'BACKWARD' }),
    drift: ({ subjects }, name) => subjects.setCompatibility(name, 'NONE'),
    differences: { compatibility: ['NONE', 'BACKWARD'] },
    impossible: { keys: { schema: recordSchema('long') }, reason: /The Schema Registry refuses it: .*[Ii]ncompatible/ },
  },
  {
    type: 'rabbitmq_exchange',
    keys: () => ({ kind: 'direct' }),
    drift: ({ channel }, name) => channel.deleteExchange(name),
    impossible: {
      keys: { kind: 'fanout' },
      reason: /RabbitMQ cannot change 'kind' of an exchange from direct to fanout\. Declare another exchange/,
    },
  },
  {
    type: 'rabbitmq_queue',
    keys: () => ({ dead_letter_exchange: EXCHANGE, message_ttl: '1d', bindings: [{ exchange: EXCHANGE, routing_key: 'order.created' }] }),
    async drift({ channel }, name) {
      await channel.unbindQueue(name, EXCHANGE, 'order.created');
      await channel.bindQueue(name, EXCHANGE, 'order.lost');
    },
    differences: {
      [`bindings.${EXCHANGE} → order.created`]: [null, 'true'],
      [`bindings.${EXCHANGE} → order.lost`]: ['true', null],
    },
    impossible: {
      keys: { message_ttl: '2d' },
      reason: /cannot change 'arguments\.x-message-ttl' of a queue from 86400000 to 172800000\. Declare what it has/,
    },
    contents: {
      async fill({ channel }, name) {
        channel.sendToQueue(name, Buffer.from('{}'));
        await channel.waitForConfirms();
      },
      empty: ({ channel }, name) => channel.purgeQueue(name),
      shown: /it holds 1 message/,
      areDeleted: false,
    },
  },
  {
    type: 's3_bucket',
    keys: () => ({ tags: { team: 'shop' } }),
    drift({ s3 }, Bucket) {
      const changed = { team: 'finance', by: 'hand' };
      const TagSet = Object.entries(changed).map(([Key, Value]) => ({ Key, Value }));
      return s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
    },
    differences: { 'tags.by': ['hand', null], 'tags.team': ['finance', 'shop'] },
    contents: {
      fill: ({ s3 }, Bucket) => s3.send(new PutObjectCommand({ Bucket, Key: 'lamp.png', Body: 'png' })),
      empty: ({ s3 }, Bucket) => s3.send(new DeleteObjectCommand({ Bucket, Key: 'lamp.png' })),
      shown: /it holds 1 object/,
      areDeleted: false,
    },
  },
  {
    type: 'kafka_connector',
    keys: ({ mysql }, name) => ({
      config: {
        ...catalogueConnector(mysql, { database: 'shop', table: 'products', topic: name }),
        'database.server.id': 4711,
        'database.user': mysql.user,
        'database.password': { conn_id: 'mysql_default', field: 'password' },
      },
    }),
    async drift({ connect }, name) {
      await connect.putConfig(name, { ...(await connect.config(name)), 'poll.interval.ms': '500', 'max.batch.size': '10' });
    },
    differences: { 'config.max.batch.size': ['10', null], 'config.poll.interval.ms': ['500', '100'] },
  },
];
