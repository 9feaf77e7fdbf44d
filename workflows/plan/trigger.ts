import type { TemplatePlace } from './expressions/template-place.ts';
import type { Shape } from './expressions/shape.ts';
import type { Json, JsonObject } from './values/json.ts';

/** What starts runs of a pipeline besides the clock. Wire data, as the plan is. */
export interface TriggerPlan {
  readonly name: string;
  readonly type: string;
  /** An expression over the event; absent: every event starts a run. */
  readonly when?: string;
  /** What a run is given, with expressions over the event at `templates`. */
  readonly runParams?: JsonObject;
  readonly templates?: readonly TemplatePlace[];
  /** An expression: events of the same value start one run together. */
  readonly dedupKey?: string;
  /** No further run is started while so many have not ended. */
  readonly maxInFlight?: number;
  readonly mode: TriggerMode;
  readonly onInvalid: OnInvalid;
  /** How many workers share the events; 1 unless the file says so. */
  readonly parallelism: number;
  /** The keys of its own kind, as the file has them: a topic, a bucket. */
  readonly source: JsonObject;
}

/** Thrown when Temporal takes no run for an event, whenever it is asked: that event is invalid. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused' as const;
}

/** Thrown when Temporal answers a sensor and says no, for a reason that has nothing to do with the event. */
export class TemporalRefused extends Error {
  override readonly name = 'TemporalRefused' as const;
}

/** How events become runs. */
export type TriggerMode =
  | { readonly kind: 'each' }
  | { readonly kind: 'cooldown'; readonly forMs: number }
  | { readonly kind: 'batch'; readonly maxRecords: number; readonly withinMs: number }
  | WindowMode;

/** Runs for the windows in which a condition over what was counted becomes true, or with all keys for which it is. */
export interface WindowMode {
  readonly kind: 'window';
  readonly sizeMs: number;
  /** A multiple of it ends every window. */
  readonly slideMs: number;
  readonly latenessMs: number;
  /** An expression over the event: one window for each value. */
  readonly key?: string;
  readonly aggregates: Readonly<Record<string, Aggregate>>;
  /** An expression over the aggregates; absent: every window with events in it. */
  readonly having?: string;
  /** A run is for so many keys of a window; absent: for one, when the condition becomes true for it. */
  readonly keysPerRun?: number;
}

export interface Aggregate {
  readonly kind: keyof typeof AGGREGATE_SHAPES;
  /** An expression over the event; none for `count`. */
  readonly of?: string;
}

/** What can be computed over the events of a window, with its type in `having`: only numbers of events are whole numbers by nature. */
export const AGGREGATE_SHAPES = {
  count: 'int',
  sum: 'decimal',
  min: 'decimal',
  max: 'decimal',
  avg: 'decimal',
} as const satisfies Record<string, Shape>;

/** What happens to an event that cannot be read, or whose expressions fail. */
export type OnInvalid = 'dead_letter' | 'skip' | 'stop';

/** The record that started a run: `event` and `event_meta` in expressions. Wire data. */
export interface RunEvent {
  readonly value: Json;
  readonly meta: EventMeta;
}

/** What an event says of itself; which of these there are depends on its source. */
export interface EventMeta {
  /** ISO 8601. */
  readonly timestamp: string;
  readonly [name: string]: Json | undefined;
}
