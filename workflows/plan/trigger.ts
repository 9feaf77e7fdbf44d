import type { TemplatePlace } from './expressions/template-place.ts';
import type { Shape } from './expressions/shape.ts';
import type { Json, JsonObject } from './values/json.ts';

/** An event source that starts runs of a pipeline. Wire data, as is the plan. */
export interface TriggerPlan {
  readonly name: string;
  readonly type: string;
  /** An expression over the event; absent: every event starts a run. */
  readonly when?: string;
  /** The parameters of a run, with expressions over the event at `templates`. */
  readonly runParams?: JsonObject;
  readonly templates?: readonly TemplatePlace[];
  /** An expression: events with the same value start one run together. */
  readonly dedupKey?: string;
  /** Maximum number of unended runs. While it is reached, no further run starts. */
  readonly maxInFlight?: number;
  readonly mode: TriggerMode;
  readonly onInvalid: OnInvalid;
  /** The number of consumers that share the events; default: 1. */
  readonly parallelism: number;
  /** The keys specific to its type, as in the file: a topic, a bucket. */
  readonly source: JsonObject;
}

/** Thrown when Temporal can never start a run for an event, because the event is invalid. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused' as const;
}

/** Thrown when Temporal refuses a sensor's request for a reason unrelated to the event. */
export class TemporalRefused extends Error {
  override readonly name = 'TemporalRefused' as const;
}

/** How events become runs. */
export type TriggerMode =
  | { readonly kind: 'each' }
  | { readonly kind: 'cooldown'; readonly forMs: number }
  | { readonly kind: 'batch'; readonly maxRecords: number; readonly withinMs: number }
  | WindowMode;

/** Starts runs for windows in which a condition over the aggregates becomes true, or for all keys for which it is true. */
export interface WindowMode {
  readonly kind: 'window';
  readonly sizeMs: number;
  /** Windows end at multiples of this time. */
  readonly slideMs: number;
  readonly latenessMs: number;
  /** An expression over the event: each value has its own window. */
  readonly key?: string;
  readonly aggregates: Readonly<Record<string, Aggregate>>;
  /** An expression over the aggregates; absent: every window that contains events. */
  readonly having?: string;
  /** Maximum keys of a window per run; absent: one run per key, when the condition becomes true for it. */
  readonly keysPerRun?: number;
}

export interface Aggregate {
  readonly kind: keyof typeof AGGREGATE_SHAPES;
  /** An expression over the event; none for `count`. */
  readonly of?: string;
}

/** The aggregates over the events of a window, with their types in `having`. Only counts are always integers. */
export const AGGREGATE_SHAPES = {
  count: 'int',
  sum: 'decimal',
  min: 'decimal',
  max: 'decimal',
  avg: 'decimal',
} as const satisfies Record<string, Shape>;

/** What happens to an event that cannot be parsed, or whose expressions fail. */
export type OnInvalid = 'dead_letter' | 'skip' | 'stop';

/** The event that started a run: `event` and `event_meta` in expressions. Wire data. */
export interface RunEvent {
  readonly value: Json;
  readonly meta: EventMeta;
}

/** The metadata of an event. Its fields depend on the source. */
export interface EventMeta {
  /** ISO 8601. */
  readonly timestamp: string;
  readonly [name: string]: Json | undefined;
}
