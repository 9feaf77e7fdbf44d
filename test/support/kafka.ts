import { type Admin, Kafka, logLevel, type Message } from 'kafkajs';
import { after, before } from 'mocha';
import type { KafkaConnection } from '../../lib/kafka/connection.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import type { Environment } from '../../lib/environment.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { eventually } from './eventually.ts';
import { testStack } from './test-stack.ts';

/** A client of the suite's Kafka. */
export class TestKafka {
  readonly kafka: Kafka;
  readonly admin: Admin;
  private readonly connection: KafkaConnection;

  private constructor(environment: Environment, connection: string) {
    this.connection = connectionsFrom(environment).get(connection, ['kafka']);
    this.kafka = createKafka(this.connection, 'sluice-test');
    this.admin = this.kafka.admin();
  }

  static async connect(environment: Environment, connection = 'kafka_default'): Promise<TestKafka> {
    const kafka = new TestKafka(environment, connection);
    await kafka.admin.connect();
    return kafka;
  }

  /** A client that waits for an unavailable broker. */
  patient(): Kafka {
    const retry = { initialRetryTime: 200, maxRetryTime: 2_000, retries: 100 };
    return new Kafka({ clientId: 'sluice-test-patient', brokers: [...this.connection.brokers], logLevel: logLevel.NOTHING, retry });
  }

  async createTopic(topic: string, numPartitions = 1, config: Readonly<Record<string, string>> = {}): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    // The client's own wait for leaders fails on a broker that does not know the topic yet.
    await this.admin.createTopics({ topics: [{ topic, numPartitions, configEntries }], waitForLeaders: false });
    await eventually(() => this.admin.fetchTopicOffsets(topic));
  }

  /** Deletes the records of a partition before `offset`, like retention. */
  async removeRecords(topic: string, partition: number, offset: number): Promise<void> {
    await this.admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  }

  async send(topic: string, messages: readonly Message[]): Promise<void> {
    const producer = this.kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    await producer.send({ topic, messages: [...messages] });
    await producer.disconnect();
  }

  /** Sends each object as a JSON record. */
  sendJson(topic: string, events: readonly object[]): Promise<void> {
    return this.send(
      topic,
      events.map((event) => ({ value: JSON.stringify(event) })),
    );
  }

  async committed(group: string, topic: string): Promise<string[]> {
    const [found] = await this.admin.fetchOffsets({ groupId: group, topics: [topic] });
    return (found?.partitions ?? []).sort((a, b) => a.partition - b.partition).map(({ offset }) => offset);
  }

  close(): Promise<void> {
    return this.admin.disconnect();
  }
}

/** The suite's Kafka, for a test file that needs no other server. Registers hooks; call it inside `describe`. */
export function kafkaSetting(): { readonly environment: Record<string, string>; readonly kafka: TestKafka } {
  const setting = {} as { environment: Record<string, string>; kafka: TestKafka };
  before(async function () {
    this.timeout('15m');
    setting.environment = (await testStack(['kafka'])).environment;
    setting.kafka = await TestKafka.connect(setting.environment);
  });
  after(() => setting.kafka.close());
  return setting;
}
