import { parseExactJson } from '../../workflows/plan/values/exact-json.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { KafkaRecord } from '../../lib/kafka/record-source.ts';

/**
 * Which incarnation of a topic a sensor reads: a topic that was deleted and recreated has other records at the same offsets. Stored in the
 * metadata of each committed offset, and in the sensor's cursor. Wire data.
 */
export interface Incarnation {
  /** The topic's id (KIP-516); absent if brokers do not support ids. */
  readonly id?: string;
  /** Whether run ids omit the topic id, as they do in the first incarnation that started runs. */
  readonly isFirst?: true;
  readonly [name: string]: Json | undefined;
}

/** The metadata of an offset committed in an incarnation; undefined if brokers do not support topic ids. */
export function metadataOf({ id, isFirst }: Incarnation): string | undefined {
  return id === undefined ? undefined : JSON.stringify({ topic_id: id, ...(isFirst && { is_first: true }) });
}

/** @returns undefined if an older release or another program committed the offset */
export function incarnationOf(metadata: string | null | undefined): Incarnation | undefined {
  if (!metadata?.startsWith('{')) return undefined;
  try {
    const { topic_id: id, is_first: isFirst } = parseExactJson(metadata) as JsonObject;
    return typeof id === 'string' ? { id, ...(isFirst === true && { isFirst }) } : undefined;
  } catch {
    return undefined;
  }
}

/** The incarnations of a sensor's topics when its position was pinned. */
export class Incarnations {
  constructor(private readonly topics: Readonly<Record<string, Incarnation>>) {}

  of(topic: string): Incarnation {
    return this.topics[topic] ?? {};
  }

  /** Identifies a record across incarnations of its topic: `topic-partition-offset`, or `topic@id-partition-offset`. */
  originOf({ topic, partition, offset }: Pick<KafkaRecord, 'topic' | 'partition' | 'offset'>): string {
    const { id, isFirst } = this.of(topic);
    return `${topic}${id === undefined || isFirst ? '' : `@${id}`}-${partition}-${offset}`;
  }
}
