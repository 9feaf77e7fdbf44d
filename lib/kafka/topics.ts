import type { Admin } from 'kafkajs';
import type { KafkaConnection } from './connection.ts';
import { createKafka } from './client.ts';

/** The current facts about a topic from the brokers. */
export interface TopicFacts {
  /** Changes when the topic is deleted and recreated; absent before Kafka 2.8. */
  readonly id?: string;
  readonly partitions: number;
}

/** @throws Error of the client when the topic does not exist */
export async function describeTopic(admin: Admin, topic: string): Promise<TopicFacts> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const partitions = topics[0]?.partitions ?? [];
  const [first] = partitions as readonly { readonly topicId?: string }[];
  return { ...(first?.topicId !== undefined && { id: first.topicId }), partitions: partitions.length };
}

/** A connection that several sensors share. */
interface SharedAdmin {
  readonly admin: Promise<Admin>;
  users: number;
}

const shared = new Map<string, SharedAdmin>();

/** Describes topics over one connection, shared by all concurrent users of the same brokers. Close it. */
export class TopicWatch {
  private readonly key: string;
  private current: SharedAdmin | undefined;

  constructor(private readonly connection: KafkaConnection) {
    this.key = JSON.stringify(connection);
  }

  /** @throws Error of the client; the next call reconnects */
  async describe(topic: string): Promise<TopicFacts> {
    const current = (this.current ??= this.join());
    try {
      return await describeTopic(await current.admin, topic);
    } catch (error) {
      await this.close();
      // Do not reuse the broken connection.
      if (shared.get(this.key) === current) shared.delete(this.key);
      throw error;
    }
  }

  async close(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    if (!current || --current.users > 0) return;
    if (shared.get(this.key) === current) shared.delete(this.key);
    await current.admin.then((admin) => admin.disconnect()).catch(() => undefined);
  }

  private join(): SharedAdmin {
    const found = shared.get(this.key) ?? { admin: connect(this.connection), users: 0 };
    shared.set(this.key, found);
    found.users++;
    return found;
  }
}

async function connect(connection: KafkaConnection): Promise<Admin> {
  const admin = createKafka(connection, 'sluice-topics').admin();
  await admin.connect();
  return admin;
}
