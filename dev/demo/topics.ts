import { randomUUID } from 'node:crypto';
import { connectionsFrom } from '../../connections/connections.ts';
import type { Environment } from '../../lib/environment.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { publishRecord } from '../../lib/kafka/publish-record.ts';
import { withinTime } from '../../lib/time-limit.ts';

/** The topics that pipelines in `pipelines/` listen to. */
const TOPICS = ['user-behavior-metrics', 'user-activity', 'purchase'];

/** Short, because the broker has just answered. */
const PUBLISH_LIMIT_MS = 30_000;

/** Creates missing topics. */
export async function createTopics(environment: Environment): Promise<void> {
  const admin = createKafka(connectionsFrom(environment).get('kafka_default', ['kafka']), 'sluice-demo').admin();
  await admin.connect();
  try {
    const there = await admin.listTopics();
    const missing = TOPICS.filter((topic) => !there.includes(topic));
    if (missing.length > 0)
      await admin.createTopics({ topics: missing.map((topic) => ({ topic, numPartitions: 1 })), waitForLeaders: false });
  } finally {
    await admin.disconnect();
  }
}

/** Publishes a record as JSON. */
export async function produce(environment: Environment, topic: string, value: object): Promise<void> {
  const kafka = createKafka(connectionsFrom(environment).get('kafka_default', ['kafka']), 'sluice-demo');
  const record = { topic, value: JSON.stringify(value), headers: {}, identity: randomUUID() };
  await withinTime(PUBLISH_LIMIT_MS, undefined, (signal) => publishRecord(kafka, record, signal));
}
