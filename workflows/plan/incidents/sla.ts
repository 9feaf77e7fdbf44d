import type { CalendarPlan } from '../timetable/calendar.ts';
import { type SlaReference, slaReference } from './sla-references.ts';

/** An SLA of a pipeline, as monitors check it. Wire data, as is the plan. */
export interface SlaPlan {
  readonly name: string;
  /** The task with the SLA; absent: the run. */
  readonly task?: string;
  /** The dataset with the SLA, whatever produces it: `within` counts from its last update, `by` expects an update after each tick. */
  readonly dataset?: string;
  readonly promise: SlaCondition;
  /** Only these days count, in the pipeline's time zone; absent: all days count. */
  readonly calendar?: CalendarPlan;
  /** Absent: the pipeline's severity. */
  readonly severity?: Severity;
  readonly warnAt?: WarnAt;
  readonly suppressWhen: readonly Suppression[];
  readonly runbook?: string;
}

/** Ends within `ms` after the reference, ends by a time of day in the pipeline's time zone, or a condition over the outputs is true. */
export type SlaCondition =
  | { readonly kind: 'within'; readonly ms: number; readonly reference: SlaReference }
  | { readonly kind: 'by'; readonly time: string }
  | { readonly kind: 'assert'; readonly condition: string };

/** When to warn: after a fraction of the available time, or this long after its start. */
export type WarnAt = { readonly part: number } | { readonly afterMs: number };

export const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Kinds of runs that can be excluded from notifications. */
export const SUPPRESSIONS = ['backfill', 'paused', 'manual'] as const;
export type Suppression = (typeof SUPPRESSIONS)[number];

/** The channels to notify of breaches, by name, in order. */
export type AlertsPlan = Readonly<Record<string, AlertPlan>>;

export interface AlertPlan {
  /** The name of a connection. */
  readonly connection: string;
  readonly severity?: Severity;
  /** What to read first in an incident. */
  readonly runbook?: string;
  /** Whether a page with changed text is sent again. Only set in reports of monitors; absent in those of older releases. */
  readonly takesUpdates?: boolean;
}

/** A setting of the first channel that defines it. */
export function alertSetting<K extends 'severity' | 'runbook'>(alerts: AlertsPlan | undefined, key: K): AlertPlan[K] | undefined {
  return Object.values(alerts ?? {}).find((alert) => alert[key] !== undefined)?.[key];
}

/** Whether runs started for `cause` are excluded from notifications. */
export function isSuppressedFor({ suppressWhen }: SlaPlan, cause: string): boolean {
  return (suppressWhen as readonly string[]).includes(cause);
}

/** Maximum SLAs of a pipeline, including those of its tasks. Monitors check each SLA for each run, for all pipelines, within seconds. */
export const MAX_SLAS = 1_000;

const DAY = 86_400_000;
/** How long intervals are monitored, plus the time that SLAs allow. In milliseconds. */
const WATCHED = 2 * DAY;

/** How long an interval is monitored after its end, whether or not it has a run. In milliseconds. */
export function watchedFor(slas: readonly SlaPlan[] = []): number {
  return WATCHED + Math.max(0, ...slas.map(reachOf));
}

/** The latest time after the end of an interval at which an SLA can be due. In milliseconds. */
function reachOf({ promise, calendar }: SlaPlan): number {
  const isOfInterval = promise.kind === 'within' && slaReference(promise.reference)?.of === 'interval';
  const ms = promise.kind === 'by' ? DAY : isOfInterval ? promise.ms : 0;
  // At least five of seven days count, except for those that are named.
  return calendar ? 2 * ms + (4 + (calendar.exclude?.length ?? 0)) * DAY : ms;
}
