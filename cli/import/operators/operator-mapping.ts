import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { Convert } from '../argument-converters.ts';

/** The equivalent of an Airflow operator. */
export interface OperatorMapping {
  readonly type: string;
  /** Converters by the operator's arguments. Other arguments are not kept. */
  readonly arguments: Readonly<Record<string, Convert>>;
  /** Arguments that have no effect in Sluice. */
  readonly ignored?: readonly string[];
  /** Keys that the task requires to do its work. */
  readonly needs?: readonly string[];
  /** Airflow's defaults, where the task type has different ones. */
  readonly defaults?: JsonObject;
  /** Whether later tasks depend on what it checks: then none of its conditions may be dropped. */
  readonly guards?: boolean;
  /** Arguments without which the task would do something else, such as the database to change: they may not be dropped. */
  readonly essential?: readonly string[];
  /** A note on the task for the report. */
  readonly note?: string;
  /** Converts the keys to their final form, for the task of this name. */
  readonly finish?: (keys: JsonObject, task: string) => JsonObject;
}

/** By the name of the operator's class. */
export type OperatorMappings = Readonly<Record<string, OperatorMapping>>;
