import type { CalendarPlan } from '../timetable/calendar.ts';
import { type SlaReference, slaReference } from './sla-references.ts';

/** What a pipeline promises, as monitors watch it. Wire data, as the plan is. */
export interface SlaPlan {
  readonly name: string;
  /** The task that it is about; absent: the run. */
  readonly task?: string;
  /** The data set that it is about, whoever makes it: `within` counts from its last update, `by` asks for one after each tick. */
  readonly dataset?: string;
  readonly promise: SlaCondition;
  /** Only its days count, in the pipeline's time zone; absent: all do. */
  readonly calendar?: CalendarPlan;
  /** Absent: that of the pipeline. */
  readonly severity?: Severity;
  readonly warnAt?: WarnAt;
  readonly suppressWhen: readonly Suppression[];
  readonly runbook?: string;
}

/** It has ended `ms` after the reference; or by this time of day where the pipeline is; or a condition over the outputs holds. */
export type SlaCondition =
  | { readonly kind: 'within'; readonly ms: number; readonly reference: SlaReference }
  | { readonly kind: 'by'; readonly time: string }
  | { readonly kind: 'assert'; readonly condition: string };

/** When to warn: after a part of the time that there is, or so long after its beginning. */
export type WarnAt = { readonly part: number } | { readonly afterMs: number };

export const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Runs for which nobody is told. */
export const SUPPRESSIONS = ['backfill', 'paused', 'manual'] as const;
export type Suppression = (typeof SUPPRESSIONS)[number];

/** Who is notified of breaches: channels by name, in the order in which they are notified. */
export type AlertsPlan = Readonly<Record<string, AlertPlan>>;

export interface AlertPlan {
  /** The name of a connection. */
  readonly connection: string;
  readonly severity?: Severity;
  /** What to read first. */
  readonly runbook?: string;
  /** Whether the channel is sent a page again whose text has changed. Only in what monitors report; absent in what older releases report. */
  readonly takesUpdates?: boolean;
}

/** A setting of the first channel that has it. */
export function alertSetting<K extends 'severity' | 'runbook'>(alerts: AlertsPlan | undefined, key: K): AlertPlan[K] | undefined {
  return Object.values(alerts ?? {}).find((alert) => alert[key] !== undefined)?.[key];
}

/** Whether nobody is told of runs that were started for `cause`. */
export function isSuppressedFor({ suppressWhen }: SlaPlan, cause: string): boolean {
  return (suppressWhen as readonly string[]).includes(cause);
}

/** What one pipeline may promise, with its tasks: monitors check each promise for each of its runs, and of all pipelines in seconds. */
export const MAX_SLAS = 1_000;

const DAY = 86_400_000;
/** Intervals are watched for so long, and as much longer as something is promised of them. Milliseconds. */
const WATCHED = 2 * DAY;

/** For how long after its end an interval is watched, whether there is a run or not. Milliseconds. */
export function watchedFor(slas: readonly SlaPlan[] = []): number {
  return WATCHED + Math.max(0, ...slas.map(reachOf));
}

/** No promise about an interval is due later after its end. */
function reachOf({ promise, calendar }: SlaPlan): number {
  const isOfInterval = promise.kind === 'within' && slaReference(promise.reference)?.of === 'interval';
  const ms = promise.kind === 'by' ? DAY : isOfInterval ? promise.ms : 0;
  // Of seven days five count, but for those that are named.
  return calendar ? 2 * ms + (4 + (calendar.exclude?.length ?? 0)) * DAY : ms;
}
