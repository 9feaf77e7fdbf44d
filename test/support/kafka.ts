import type { Admin, Kafka, Message } from 'kafkajs';
import { connectionsFrom } from '../../lib/connections.ts';
import type { Environment } from '../../lib/environment.ts';
import { createKafka } from '../../lib/kafka.ts';

/** A client of the suite's Kafka. */
export class TestKafka {
  readonly kafka: Kafka;
  readonly admin: Admin;

  private constructor(environment: Environment) {
    this.kafka = createKafka(connectionsFrom(environment).get('kafka_default', ['kafka']), 'sluice-test');
    this.admin = this.kafka.admin();
  }

  static async connect(environment: Environment): Promise<TestKafka> {
    const kafka = new TestKafka(environment);
    await kafka.admin.connect();
    return kafka;
  }

  async createTopic(topic: string, numPartitions = 1, config: Readonly<Record<string, string>> = {}): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await this.admin.createTopics({ topics: [{ topic, numPartitions, configEntries }], waitForLeaders: true });
  }

  async send(topic: string, messages: readonly Message[]): Promise<void> {
    const producer = this.kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    await producer.send({ topic, messages: [...messages] });
    await producer.disconnect();
  }

  /** Objects as JSON, one record each. */
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
