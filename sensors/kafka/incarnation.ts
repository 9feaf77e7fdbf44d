import { parseExactJson } from '../../workflows/plan/values/exact-json.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { KafkaRecord } from '../../lib/kafka/record-source.ts';

/**
 * Which incarnation of a topic a sensor reads: one that was deleted and created again has another, with other records at the same offsets. It is
 * kept with each committed offset, as its metadata, and in the sensor's cursor. Wire data.
 */
export interface Incarnation {
  /** The topic's id (KIP-516); absent where brokers have none. */
  readonly id?: string;
  /** Whether ids of runs do without it: so they are in the first incarnation that runs were started from. */
  readonly isFirst?: true;
  readonly [name: string]: Json | undefined;
}

/** The metadata of an offset that is committed in an incarnation; undefined where brokers have no ids of topics. */
export function metadataOf({ id, isFirst }: Incarnation): string | undefined {
  return id === undefined ? undefined : JSON.stringify({ topic_id: id, ...(isFirst && { is_first: true }) });
}

/** @returns undefined where the offset was committed by an older release, or by another program */
export function incarnationOf(metadata: string | null | undefined): Incarnation | undefined {
  if (!metadata?.startsWith('{')) return undefined;
  try {
    const { topic_id: id, is_first: isFirst } = parseExactJson(metadata) as JsonObject;
    return typeof id === 'string' ? { id, ...(isFirst === true && { isFirst }) } : undefined;
  } catch {
    return undefined;
  }
}

/** The incarnations of the topics of a sensor, as they were when its position was pinned. */
export class Incarnations {
  constructor(private readonly topics: Readonly<Record<string, Incarnation>>) {}

  of(topic: string): Incarnation {
    return this.topics[topic] ?? {};
  }

  /** What tells a record from all others, those of earlier incarnations included: `topic-partition-offset`, or `topic@id-partition-offset`. */
  originOf({ topic, partition, offset }: Pick<KafkaRecord, 'topic' | 'partition' | 'offset'>): string {
    const { id, isFirst } = this.of(topic);
    return `${topic}${id === undefined || isFirst ? '' : `@${id}`}-${partition}-${offset}`;
  }
}
