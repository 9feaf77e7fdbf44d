import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { Convert } from '../argument-converters.ts';

/** What an operator of Airflow is here. */
export interface OperatorMapping {
  readonly type: string;
  /** By the operator's argument. What is not named is not kept. */
  readonly arguments: Readonly<Record<string, Convert>>;
  /** Arguments that change nothing here. */
  readonly ignored?: readonly string[];
  /** Keys without which the task could not do its work. */
  readonly needs?: readonly string[];
  /** Airflow's own defaults, where those of the task type differ. */
  readonly defaults?: JsonObject;
  /** Whether what follows runs only when it has found what it asks for: what it asks must be asked whole. */
  readonly guards?: boolean;
  /** What people must know of the task beside its arguments. */
  readonly note?: string;
  /** Puts the keys into their final form, for the task of this name. */
  readonly finish?: (keys: JsonObject, task: string) => JsonObject;
}

/** By the name of the operator's class. */
export type OperatorMappings = Readonly<Record<string, OperatorMapping>>;
