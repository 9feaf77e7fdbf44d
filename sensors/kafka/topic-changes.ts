import { setTimeout as delay } from 'node:timers/promises';
import type { TopicWatch } from '../../lib/kafka/topics.ts';
import type { Incarnations } from './incarnation.ts';

/** How often topics are checked, in milliseconds: new partitions are read soon afterwards. */
const EVERY = 10_000;

/** Detects recreated topics and new partitions, which a consumer group does not notice. A change ends the consumer. */
export class TopicChanges {
  constructor(
    private readonly watch: TopicWatch,
    private readonly incarnations: Incarnations,
    /** The number of partitions of each topic before the consumer joined. */
    private readonly partitions: ReadonlyMap<string, number>,
  ) {}

  /** @throws Error when the topic has changed, or cannot be queried */
  async check(topic: string): Promise<void> {
    const { id, partitions } = await this.watch.describe(topic);
    const { id: known } = this.incarnations.of(topic);
    if (id !== known) {
      throw new Error(`The topic ${topic} was deleted and created again: its records are read from the first one.`);
    }
    const before = this.partitions.get(topic) ?? partitions;
    if (partitions > before) {
      throw new Error(
        `The topic ${topic} has ${partitions} partitions now, not ${before}: the new ones are read when the consumer has joined again.`,
      );
    }
  }

  /** Checks all topics repeatedly. @throws like `check` */
  async watchAll(topics: readonly string[], signal: AbortSignal): Promise<never> {
    for (;;) {
      for (const topic of topics) await this.check(topic);
      await delay(EVERY, undefined, { signal });
    }
  }
}
