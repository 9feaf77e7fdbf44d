import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import { createKafka } from '../../lib/kafka/client.ts';
import { setOffsets } from '../../lib/kafka/set-offsets.ts';
import type { Cursor } from '../run-starts.ts';
import type { SensorIdentity } from '../define-trigger.ts';
import { stopped } from '../run-sensor.ts';
import { type KafkaCursor, keyOf } from './position.ts';

/** The consumer group of a trigger; its committed offsets are what the sensor remembers. */
export function groupOf(dagId: string, trigger: string): string {
  return `sluice.${dagId}.${trigger}`;
}

/** The topics that a trigger listens on. */
export function topicsOf({ trigger }: Pick<SensorIdentity, 'trigger'>): readonly string[] {
  const { topic } = trigger.source;
  return Array.isArray(topic) ? (topic as readonly string[]) : [String(topic)];
}

/**
 * Commits where a group begins that has never committed anything: afterwards nothing that arrives can be missed, whatever dies. Partitions
 * that come later begin at their first record.
 * @param cursor what the sensor itself remembers: brokers forget groups that have not been there for some days
 * @returns how many records retention has removed before they were read
 * @throws Error when a topic does not exist
 */
export async function pinPosition(
  kafka: Kafka,
  admin: Admin,
  identity: SensorIdentity,
  cursor: Cursor,
  signal: AbortSignal,
): Promise<number> {
  const group = groupOf(identity.dagId, identity.trigger.name);
  const topics = topicsOf(identity);
  const existing = new Set(await admin.listTopics());
  const missing = topics.filter((topic) => !existing.has(topic));
  if (missing.length > 0)
    throw new Error(`There is no topic ${missing.join(', ')} yet; it waits for ${missing.length > 1 ? 'them' : 'it'}.`);
  let lost = 0;
  for (;;) {
    const committed = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
    const fresh = committed.filter(({ partitions }) => partitions.every(({ offset }) => offset === '-1')).map(({ topic }) => topic);
    if (fresh.length === 0) {
      for (const { topic, partitions } of committed) lost += await removed(admin, topic, partitions);
      return lost;
    }
    if (identity.consumer === 0) {
      const { start } = identity.trigger.source;
      const { offsets = {} } = (cursor ?? {}) as KafkaCursor;
      for (const topic of fresh)
        await moveTo(kafka, admin, group, topic, typeof start === 'string' ? start : 'latest', identity.since, offsets);
    } else await delay(500, undefined, { signal });
  }
}

/** `sluice sensors reset`: moves the group of a sensor that does not run. @throws ApplicationFailure when `to` is no position */
export async function resetPosition(identity: SensorIdentity, to: string): Promise<Cursor> {
  if (identity.consumer !== 0) return undefined;
  const kafka = createKafka(identity.connection(['kafka']), 'sluice-sensor');
  const admin = kafka.admin();
  await admin.connect();
  try {
    const group = groupOf(identity.dagId, identity.trigger.name);
    for (const topic of topicsOf(identity)) await moveTo(kafka, admin, group, topic, to, new Date().toISOString());
  } finally {
    await admin.disconnect();
  }
  return undefined;
}

/**
 * @param since what `latest` means: the records that have come from then on are new
 * @param known where partitions stand, by `topic-partition`, whatever `to` says
 */
async function moveTo(
  kafka: Kafka,
  admin: Admin,
  group: string,
  topic: string,
  to: string,
  since: string,
  known: KafkaCursor['offsets'] = {},
): Promise<void> {
  const time = Date.parse(to === 'latest' ? since : to);
  if (to !== 'earliest' && Number.isNaN(time)) {
    throw stopped(`'${to}' is no place to begin: earliest, latest, or a time such as 2024-01-31T06:00:00Z.`);
  }
  const found = to === 'earliest' ? await admin.fetchTopicOffsets(topic) : await admin.fetchTopicOffsetsByTimestamp(topic, time);
  const partitions = found.map(({ partition, ...each }) => ({
    partition,
    offset: known[keyOf({ topic, partition })] ?? ('low' in each ? String(each.low) : each.offset),
  }));
  await setOffsets(kafka, group, topic, partitions);
}

async function removed(admin: Admin, topic: string, committed: readonly { partition: number; offset: string }[]): Promise<number> {
  const bounds = await admin.fetchTopicOffsets(topic);
  return bounds.reduce((sum, { partition, low }) => {
    const offset = committed.find((each) => each.partition === partition)?.offset;
    return offset === undefined || offset === '-1' ? sum : sum + Math.max(0, Number(BigInt(low) - BigInt(offset)));
  }, 0);
}
