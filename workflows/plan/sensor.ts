import { defineQuery, defineSignal, defineUpdate } from './messages.ts';
import type { OperatorRequest } from './runs/decision.ts';
import type { Json } from './values/json.ts';
import type { Plan } from './plan.ts';
import type { TriggerPlan } from './trigger.ts';

export { sensorId, sensorOf } from './ids.ts';

/** The workflow that keeps a sensor running, with its messages. Wire data. */
export const SENSOR_WORKFLOW = 'SluiceSensor';
export const SENSOR_QUERY = defineQuery<SensorState>('sensor');
export const SENSOR_REPORT = defineSignal<[SensorReport]>('sensor-report');
export const SENSOR_UPDATE = defineSignal<[Plan]>('sensor-plan');
export const PAUSE_SENSOR = defineUpdate<string, [OperatorRequest]>('pause-sensor');
export const RESUME_SENSOR = defineUpdate<string, [OperatorRequest]>('resume-sensor');
export const RESET_SENSOR = defineUpdate<string, [SensorReset]>('reset-sensor');

/** A request to move a sensor to another position. Wire data. */
export interface SensorReset extends OperatorRequest {
  /** `earliest`, `latest` or a time, ISO 8601. */
  readonly to: string;
}

/**
 * Requests permission to start a run under `mode: cooldown`. null: granted. Sensors on workers of older releases answer with only the end
 * of the quiet time.
 */
export const CLAIM_START = defineUpdate<QuietTime | string | null, [StartClaim]>('claim-start');

/** A request to start a run, with the time of its event. */
export interface StartClaim {
  readonly id: string;
  /** ISO 8601, by the clock of the event's sender, which may be wrong. */
  readonly at: string;
  /** When the sensor made the claim, by its own clock, ISO 8601; absent in claims of older releases. */
  readonly askedAt?: string;
}

/** How long no further run starts after a run. The next run may start as soon as one of the two times has passed. */
export interface QuietTime {
  /** In event time, ISO 8601. */
  readonly until: string;
  /** By the sensor's clock, ISO 8601; absent if an older release started the last run. */
  readonly untilAsked?: string;
}

/**
 * The quiet time that delays a claim under `mode: cooldown`. It is measured in event time, so that a backlog starts the same runs as it
 * would have live. It is also measured by the clock, so that an event with a wrong time blocks others no longer than the cooldown.
 * @returns undefined when the run may start
 */
export function quietTimeFor(claim: StartClaim, last: StartClaim | undefined, forMs: number): QuietTime | undefined {
  if (last === undefined || last.id === claim.id) return undefined;
  const until = Date.parse(last.at) + forMs;
  if (Date.parse(claim.at) >= until) return undefined;
  if (last.askedAt === undefined || claim.askedAt === undefined) return { until: new Date(until).toISOString() };
  const untilAsked = Date.parse(last.askedAt) + forMs;
  if (Date.parse(claim.askedAt) >= untilAsked) return undefined;
  return { until: new Date(until).toISOString(), untilAsked: new Date(untilAsked).toISOString() };
}

/** The input of a sensor's workflow. */
export interface SensorInput {
  readonly plan: Plan;
  readonly trigger: string;
  /** When the sensor first started, ISO 8601: the position of `start: latest`. Absent at the first start. */
  readonly since?: string;
  /** The position of each consumer, by number. */
  readonly ends?: readonly SensorEnd[];
  readonly paused?: OperatorRequest;
  /** The last started run, for `mode: cooldown`. */
  readonly lastClaim?: StartClaim;
}

/** The input of a sensor's activity, for one consumer. */
export interface SensorCall {
  readonly sensorId: string;
  readonly plan: Plan;
  readonly trigger: TriggerPlan;
  /** From 0 to `parallelism` - 1. */
  readonly consumer: number;
  readonly since: string;
  readonly from: SensorEnd;
}

/** The position of a consumer. The next one continues from here. */
export interface SensorEnd {
  /** The source's cursor to continue from. Kafka stores its own. */
  readonly cursor?: Json;
  readonly counts: SensorCounts;
}

export interface SensorCounts {
  readonly events: number;
  readonly matches: number;
  readonly started: number;
  /** Matches whose run already existed. */
  readonly known: number;
  readonly invalid: number;
  /** Events that the source deleted before the sensor read them. */
  readonly lost: number;
  /** Matches that start no run because of `mode: cooldown`. Absent in data of older releases. */
  readonly quiet?: number;
}

export const NO_COUNTS: Required<SensorCounts> = { events: 0, matches: 0, started: 0, known: 0, invalid: 0, lost: 0, quiet: 0 };

/** The periodic report of a consumer. */
export interface SensorReport {
  readonly consumer: number;
  readonly counts: SensorCounts;
  /** Recent events per second. */
  readonly rate: number;
  /** Events not read yet; absent if the source cannot tell. */
  readonly lag?: number;
  readonly lastStart?: { readonly run: string; readonly at: string };
  /** What currently blocks it. */
  readonly problem?: string;
}

/** The state of a sensor. */
export interface SensorState {
  readonly state: 'running' | 'paused' | 'stopped';
  /** Why it is paused or has stopped. */
  readonly why?: string;
  /** The operator request that paused it. Absent in answers of older releases. */
  readonly paused?: OperatorRequest;
  readonly reports: readonly SensorReport[];
}

/** The task queue of a deployment's sensors. They wait for events all day, and must not occupy slots for tasks. */
export function sensorQueue(taskQueue: string): string {
  return `${taskQueue}-sensors`;
}

/** The activity of a trigger type's sensors. Wire data. */
export function sensorActivity(type: string): string {
  return `${type}_sensor`;
}
