import type { JsonObject } from './json.ts';
import type { SchedulePlan } from './schedule.ts';
import type { TriggerRule } from './trigger-rule.ts';

/**
 * A pipeline as it runs: what the compiler makes of a YAML file, frozen in the input of every run. Everything is explicit: no defaults
 * are left to whoever reads it. Wire data: fields are added, never renamed; `format` goes up when old readers would misread it.
 */
export interface Plan {
  readonly format: 1;
  readonly dagId: string;
  /** SHA-256 (hexadecimal) over the canonical JSON of all other fields. */
  readonly hash: string;
  readonly description?: string;
  readonly owner?: string;
  readonly tags: readonly string[];
  readonly docMd?: string;
  /** null: started by hand or by a sensor only. */
  readonly schedule: SchedulePlan | null;
  readonly runTimeoutMs?: number;
  /** In an order in which each stands after all it depends on. */
  readonly tasks: readonly TaskPlan[];
}

export interface TaskPlan {
  readonly name: string;
  readonly type: string;
  /** What the Temporal UI shows beside the task. */
  readonly summary: string;
  readonly dependsOn: readonly string[];
  readonly triggerRule: TriggerRule;
  readonly params: JsonObject;
  /** The task whose data set this one reads. */
  readonly inputFrom?: string;
  /** Where it writes: `s3://bucket/dag/task`; the interval is added when it runs. */
  readonly outputBase?: string;
  readonly retry: RetryPlan;
  /** One attempt. */
  readonly executionTimeoutMs: number;
  readonly heartbeatTimeoutMs: number;
  /** Waiting for a worker; absent: as long as it takes. */
  readonly queueTimeoutMs?: number;
  /** The task queue of special workers; absent: the run's own. */
  readonly queue?: string;
  /** Temporal's, 1 (first) to 5. */
  readonly priority?: number;
  readonly allowFailure: boolean;
}

export interface RetryPlan {
  /** The first attempt included. */
  readonly maximumAttempts: number;
  readonly initialDelayMs: number;
  readonly backoff: number;
  readonly maximumDelayMs: number;
}

export const PLAN_FORMAT = 1;
