import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { TestKafka } from '../support/kafka.ts';

/** The servers of the suite. */
export interface Servers {
  readonly kafka: TestKafka;
}

/** The life of one resource. */
export interface ResourceCase {
  readonly type: string;
  /** The resource, as in YAML, without its name. */
  readonly keys: JsonObject;
  /** Changes it by hand, as an operator would on its server. */
  drift(servers: Servers, name: string): Promise<void>;
  /** The differences that `plan` then shows, by field: actual and declared. */
  readonly differences: Readonly<Record<string, readonly [actual: string | null, declared: string | null]>>;
  /** Keys that cannot be reached in place, with the reason that `plan` gives. */
  readonly impossible?: { readonly keys: JsonObject; readonly reason: RegExp };
  /** Puts contents into it, as producers would. */
  fill?(servers: Servers, name: string): Promise<void>;
  /** What `plan` says about the contents. */
  readonly contents?: RegExp;
}

/** kafkajs' ConfigResourceTypes.TOPIC. */
const TOPIC = 2;

export const RESOURCE_CASES: readonly ResourceCase[] = [
  {
    type: 'kafka_topic',
    keys: { partitions: 3, config: { 'retention.ms': 86_400_000 } },
    drift: async ({ kafka }, name) => {
      const configEntries = Object.entries({ 'retention.ms': '1000', 'cleanup.policy': 'compact' }).map(([key, value]) => ({
        name: key,
        value,
      }));
      await kafka.admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name, configEntries }] });
    },
    differences: { 'config.cleanup.policy': ['compact', null], 'config.retention.ms': ['1000', '86400000'] },
    impossible: {
      keys: { partitions: 2, config: { 'retention.ms': 86_400_000 } },
      reason: /Kafka cannot reduce the partitions of a topic from 3 to 2\. Declare 3/,
    },
    fill: ({ kafka }, name) => kafka.sendJson(name, [{ id: 1 }, { id: 2 }]),
    contents: /it holds 2 records/,
  },
];
