import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import { createKafka } from '../../lib/kafka/client.ts';
import { setOffsets } from '../../lib/kafka/set-offsets.ts';
import { describeTopic } from '../../lib/kafka/topics.ts';
import type { PipelineName } from '../../workflows/plan/ids.ts';
import type { Cursor } from '../run/run-starts.ts';
import type { SensorContext, SensorIdentity } from '../define-trigger.ts';
import { stopped } from '../run/sensor-stopped.ts';
import { type Incarnation, incarnationOf, metadataOf } from './incarnation.ts';
import { type KafkaCursor, keyOf } from './position.ts';

/** The consumer group of a trigger; its committed offsets are the sensor's position. @param name of the pipeline */
export function groupOf(name: PipelineName, trigger: string): string {
  return `sluice.${name}.${trigger}`;
}

/** The topics of a trigger. */
export function topicsOf({ trigger }: Pick<SensorIdentity, 'trigger'>): readonly string[] {
  const { topic } = trigger.source;
  return Array.isArray(topic) ? (topic as readonly string[]) : [String(topic)];
}

/** The start position of a sensor. */
export interface PinnedPosition {
  /** Number of records that retention removed before they were read. */
  readonly lost: number;
  readonly incarnations: Readonly<Record<string, Incarnation>>;
  /** The number of partitions of each topic. */
  readonly partitions: ReadonlyMap<string, number>;
  /** The next offset, by `topic-partition`, for records that still exist. */
  readonly begins: ReadonlyMap<string, string>;
  /** Topics that were deleted and recreated since the sensor last read them. */
  readonly recreated: readonly string[];
}

type PinningSensor = SensorIdentity & Pick<SensorContext, 'runs' | 'signal' | 'journal'>;

/**
 * Commits the start position of a group that has none, or whose topic was recreated: afterwards no new record can be missed, even after a
 * crash. Partitions added later start at their first record.
 * @throws Error when a topic does not exist; ApplicationFailure when it has fewer records than were read
 */
export async function pinPosition(kafka: Kafka, admin: Admin, sensor: PinningSensor): Promise<PinnedPosition> {
  const topics = topicsOf(sensor);
  const existing = new Set(await admin.listTopics());
  const missing = topics.filter((topic) => !existing.has(topic));
  if (missing.length > 0)
    throw new Error(`There is no topic ${missing.join(', ')} yet; it waits for ${missing.length > 1 ? 'them' : 'it'}.`);
  let lost = 0;
  const incarnations: Record<string, Incarnation> = {};
  const partitions = new Map<string, number>();
  const begins = new Map<string, string>();
  const recreated: string[] = [];
  for (const topic of topics) {
    const pinned = await pinTopic(kafka, admin, sensor, topic);
    lost += pinned.lost;
    incarnations[topic] = pinned.incarnation;
    partitions.set(topic, pinned.partitions);
    for (const [partition, offset] of pinned.begins) begins.set(keyOf({ topic, partition }), offset);
    if (pinned.isRecreated) recreated.push(topic);
  }
  return { lost, incarnations, partitions, begins, recreated };
}

interface PinnedTopic {
  readonly lost: number;
  readonly incarnation: Incarnation;
  readonly partitions: number;
  readonly begins: ReadonlyMap<number, string>;
  readonly isRecreated: boolean;
}

async function pinTopic(kafka: Kafka, admin: Admin, sensor: PinningSensor, topic: string): Promise<PinnedTopic> {
  const { trigger, consumer, since, runs, signal, journal } = sensor;
  const group = groupOf(sensor.name, trigger.name);
  const cursor = (journal.cursor ?? {}) as KafkaCursor;
  let isRecreated = false;
  for (;;) {
    const { id, partitions } = await describeTopic(admin, topic);
    const committed = await committedOf(admin, group, topic);
    const before = incarnationIn(committed, cursor, topic);
    const isFresh = committed.length === 0;
    if (id !== undefined && before?.id !== undefined && before.id !== id) isRecreated = true;
    // Committed by this release in this incarnation, or on brokers without topic ids.
    if (!isFresh && committed.every(({ metadata }) => incarnationOf(metadata)?.id === id)) {
      if (id === undefined) await refuseShorter(admin, topic, committed);
      return { ...(await removed(admin, topic, committed)), incarnation: before ?? {}, partitions, isRecreated };
    }
    if (consumer !== 0) {
      await delay(500, undefined, { signal });
      continue;
    }
    const hasKnown = Object.keys(cursor.offsets ?? {}).some((key) => isPartitionOf(key, topic));
    const incarnation = await nextIncarnation(id, before, !isFresh || hasKnown, () => runs.hasAny(`${topic}-`));
    if (before?.id !== undefined && before.id !== id) {
      await moveTo(kafka, admin, group, topic, { to: 'earliest', since, incarnation });
    } else if (isFresh) {
      const { start } = trigger.source;
      await moveTo(kafka, admin, group, topic, {
        to: typeof start === 'string' ? start : 'latest',
        since,
        incarnation,
        known: cursor.offsets,
      });
    } else {
      const metadata = metadataOf(incarnation);
      await setOffsets(
        kafka,
        group,
        topic,
        committed.map(({ partition, offset }) => ({ partition, offset, metadata })),
      );
    }
  }
}

/**
 * The incarnation from now on. Run ids omit the topic id in the incarnation that an older release has read, or else in the very first one.
 * If this pipeline already has runs from a topic with this name, the incarnation is not the first.
 */
async function nextIncarnation(
  id: string | undefined,
  before: Incarnation | undefined,
  isInUse: boolean,
  hasRuns: () => Promise<boolean>,
): Promise<Incarnation> {
  if (id === undefined) return {};
  if (before?.id === id) return before;
  const isFirst = before?.id === undefined && (isInUse || !(await hasRuns()));
  return { id, ...(isFirst && { isFirst }) };
}

interface Committed {
  readonly partition: number;
  readonly offset: string;
  readonly metadata: string | null;
}

/** The committed offsets of a group. */
async function committedOf(admin: Admin, group: string, topic: string): Promise<Committed[]> {
  const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
  return (found?.partitions ?? []).filter(({ offset }) => offset !== '-1');
}

/** The incarnation that a sensor last read. Falls back to the cursor: brokers forget groups that are inactive for some days. */
function incarnationIn(committed: readonly Committed[], cursor: KafkaCursor, topic: string): Incarnation | undefined {
  return committed.map(({ metadata }) => incarnationOf(metadata)).find((each) => each !== undefined) ?? cursor.topics?.[topic];
}

/** Whether a key of a cursor's offsets is a partition of the topic. */
export function isPartitionOf(key: string, topic: string): boolean {
  return key.startsWith(`${topic}-`) && /^\d+$/.test(key.slice(topic.length + 1));
}

/** Brokers without topic ids reveal a recreated topic only by missing records. @throws ApplicationFailure */
async function refuseShorter(admin: Admin, topic: string, committed: readonly Committed[]): Promise<void> {
  for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
    const read = committed.find((each) => each.partition === partition)?.offset;
    if (read === undefined || BigInt(read) <= BigInt(high)) continue;
    throw stopped(
      `${topic}-${partition} ends at offset ${high}, and records up to ${read} were read: the topic was deleted and created again, or lost records. ` +
        'These brokers have no ids of topics (Kafka 2.8 and later have), so that new records would take the ids of old ones for the ids of their runs. ' +
        'Give the topic another name, or the trigger a `dedup_key`; then choose where to begin with `sluice sensors reset`.',
    );
  }
}

/** `sluice sensors reset`: moves the group of an inactive sensor. @throws ApplicationFailure when `to` is not a position */
export async function resetPosition(identity: SensorIdentity, to: string, cursor: Cursor): Promise<Cursor> {
  if (identity.consumer !== 0) return undefined;
  const kafka = createKafka(identity.connection(['kafka']), 'sluice-sensor');
  const admin = kafka.admin();
  await admin.connect();
  try {
    const group = groupOf(identity.name, identity.trigger.name);
    const known = (cursor ?? {}) as KafkaCursor;
    const topics: Record<string, Incarnation> = {};
    for (const topic of topicsOf(identity)) {
      const { id } = await describeTopic(admin, topic);
      const committed = await committedOf(admin, group, topic);
      const before = incarnationIn(committed, known, topic);
      topics[topic] = await nextIncarnation(id, before, committed.length > 0, () => Promise.resolve(true));
      await moveTo(kafka, admin, group, topic, { to, since: new Date().toISOString(), incarnation: topics[topic] });
    }
    return { topics };
  } finally {
    await admin.disconnect();
  }
}

interface NewPosition {
  readonly to: string;
  /** The time for `latest`: later records are new. ISO 8601. */
  readonly since: string;
  readonly incarnation: Incarnation;
  /** Known positions, by `topic-partition`, which take precedence over `to`. */
  readonly known?: KafkaCursor['offsets'];
}

async function moveTo(
  kafka: Kafka,
  admin: Admin,
  group: string,
  topic: string,
  { to, since, incarnation, known = {} }: NewPosition,
): Promise<void> {
  const time = Date.parse(to === 'latest' ? since : to);
  if (to !== 'earliest' && Number.isNaN(time)) {
    throw stopped(`'${to}' is not a position. Allowed: earliest, latest, or a time such as 2024-01-31T06:00:00Z.`);
  }
  const found = to === 'earliest' ? await admin.fetchTopicOffsets(topic) : await admin.fetchTopicOffsetsByTimestamp(topic, time);
  const metadata = metadataOf(incarnation);
  const partitions = found.map(({ partition, ...each }) => ({
    partition,
    offset: known[keyOf({ topic, partition })] ?? ('low' in each ? String(each.low) : each.offset),
    metadata,
  }));
  await setOffsets(kafka, group, topic, partitions);
}

/** The number of records removed before they were read, and the consumer's possible start offsets, by partition. */
async function removed(admin: Admin, topic: string, committed: readonly Committed[]): Promise<Pick<PinnedTopic, 'lost' | 'begins'>> {
  const bounds = await admin.fetchTopicOffsets(topic);
  let lost = 0;
  const begins = new Map<number, string>();
  for (const { partition, low } of bounds) {
    const offset = committed.find((each) => each.partition === partition)?.offset;
    if (offset === undefined) continue;
    const missing = BigInt(low) - BigInt(offset);
    begins.set(partition, missing > 0n ? low : offset);
    if (missing > 0n) lost += Number(missing);
  }
  return { lost, begins };
}
