import { defineQuery, defineSignal, defineUpdate } from './messages.ts';
import type { OperatorRequest } from './runs/decision.ts';
import type { Json } from './values/json.ts';
import type { Plan } from './plan.ts';
import type { TriggerPlan } from './trigger.ts';

/** The workflow that keeps a sensor alive, and what can be asked of it. Wire data. */
export const SENSOR_WORKFLOW = 'SluiceSensor';
export const SENSOR_QUERY = defineQuery<SensorState>('sensor');
export const SENSOR_REPORT = defineSignal<[SensorReport]>('sensor-report');
export const SENSOR_UPDATE = defineSignal<[Plan]>('sensor-plan');
export const PAUSE_SENSOR = defineUpdate<string, [OperatorRequest]>('pause-sensor');
export const RESUME_SENSOR = defineUpdate<string, [OperatorRequest]>('resume-sensor');
export const RESET_SENSOR = defineUpdate<string, [SensorReset]>('reset-sensor');

/** Where a sensor begins again. Wire data. */
export interface SensorReset extends OperatorRequest {
  /** `earliest`, `latest` or a time, ISO 8601. */
  readonly to: string;
}

/**
 * Asks for the right to start a run under `mode: cooldown`. null: it may start. Sensors whose worker has an older release answer with the end
 * of the quiet time alone.
 */
export const CLAIM_START = defineUpdate<QuietTime | string | null, [StartClaim]>('claim-start');

/** A run that wants to start, and the time of its event. */
export interface StartClaim {
  readonly id: string;
  /** ISO 8601; by the clock of whoever sent the event, which may be wrong. */
  readonly at: string;
  /** When the sensor asked, by its own clock, ISO 8601; absent in the claims of older releases. */
  readonly askedAt?: string;
}

/** How long no run starts after another: until both times have passed there is none, and one of them is enough to start the next. */
export interface QuietTime {
  /** In the time of the events, ISO 8601. */
  readonly until: string;
  /** By the clock of the sensor, ISO 8601; absent where an older release has started the last run. */
  readonly untilAsked?: string;
}

/**
 * The quiet time that a claim meets under `mode: cooldown`. It ends in the time of the events, so that a backlog starts the runs that it would
 * have started on its day; and by the clock, so that an event whose own time is wrong silences no others for longer than the cooldown.
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

/** The workflow of one trigger's sensor. */
export function sensorId(dagId: string, trigger: string): string {
  return `sensor/${dagId}/${trigger}`;
}

/** The input of a sensor's workflow. */
export interface SensorInput {
  readonly plan: Plan;
  readonly trigger: string;
  /** When it first began, ISO 8601: what `start: latest` means. Absent at the beginning. */
  readonly since?: string;
  /** Where each of its consumers stands, by number. */
  readonly ends?: readonly SensorEnd[];
  readonly paused?: OperatorRequest;
  /** The run that was started last, for `mode: cooldown`. */
  readonly lastClaim?: StartClaim;
}

/** The input of a sensor's activity: one of its consumers. */
export interface SensorCall {
  readonly sensorId: string;
  readonly plan: Plan;
  readonly trigger: TriggerPlan;
  /** From 0 to `parallelism` - 1. */
  readonly consumer: number;
  readonly since: string;
  readonly from: SensorEnd;
}

/** How far a consumer has come; the next one goes on from here. */
export interface SensorEnd {
  /** What the source wants to know again; Kafka remembers by itself. */
  readonly cursor?: Json;
  readonly counts: SensorCounts;
}

export interface SensorCounts {
  readonly events: number;
  readonly matches: number;
  readonly started: number;
  /** Matches whose run was there already. */
  readonly known: number;
  readonly invalid: number;
  /** Events that the source has removed before they were looked at. */
  readonly lost: number;
  /** Matches that start no run because of `mode: cooldown`. Absent in what older releases have written. */
  readonly quiet?: number;
}

export const NO_COUNTS: Required<SensorCounts> = { events: 0, matches: 0, started: 0, known: 0, invalid: 0, lost: 0, quiet: 0 };

/** What a consumer says of itself now and then. */
export interface SensorReport {
  readonly consumer: number;
  readonly counts: SensorCounts;
  /** Events in a second, lately. */
  readonly rate: number;
  /** Events that are there and were not looked at; absent where the source cannot tell. */
  readonly lag?: number;
  readonly lastStart?: { readonly run: string; readonly at: string };
  /** What is in its way at the moment. */
  readonly problem?: string;
}

/** How a sensor stands. */
export interface SensorState {
  readonly state: 'running' | 'paused' | 'stopped';
  /** Why it is paused or has stopped. */
  readonly why?: string;
  readonly reports: readonly SensorReport[];
}

/** The task queue of the sensors of a deployment: they wait for events all day, and take no slot from its tasks. */
export function sensorQueue(taskQueue: string): string {
  return `${taskQueue}-sensors`;
}
