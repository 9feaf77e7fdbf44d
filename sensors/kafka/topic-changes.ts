import { setTimeout as delay } from 'node:timers/promises';
import type { TopicWatch } from '../../lib/kafka/topics.ts';
import type { Incarnations } from './incarnation.ts';

/** How often topics are asked about, in milliseconds: new partitions are read soon after. */
const EVERY = 10_000;

/** Notices what a consumer group does not: that a topic was created again, and that it has more partitions. What it finds ends the consumer. */
export class TopicChanges {
  constructor(
    private readonly watch: TopicWatch,
    private readonly incarnations: Incarnations,
    /** How many each topic had before the consumer joined. */
    private readonly partitions: ReadonlyMap<string, number>,
  ) {}

  /** @throws Error when the topic is not what it was; that it cannot be asked about */
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

  /** Checks all topics again and again. @throws as `check` does */
  async watchAll(topics: readonly string[], signal: AbortSignal): Promise<never> {
    for (;;) {
      for (const topic of topics) await this.check(topic);
      await delay(EVERY, undefined, { signal });
    }
  }
}
