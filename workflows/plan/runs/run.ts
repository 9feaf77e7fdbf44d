import { isMap, type Json, type JsonObject } from '../values/json.ts';
import { isIdOfTimetable } from '../ids.ts';
import type { Plan } from '../plan.ts';
import type { DataInterval } from '../timetable/schedule.ts';
import type { RunEvent } from '../trigger.ts';
import type { TaskState } from '../tasks/task-state.ts';
import type { TaskTimes } from '../tasks/task-times.ts';

/**
 * Causes of runs that no event started. If a trigger starts a run, the cause is the trigger's type, which never equals one of these names.
 * Exception: runs of the `pipeline` trigger share the cause `pipeline` with runs that tasks start.
 */
export const OWN_CAUSES = ['scheduled', 'manual', 'pipeline', 'backfill', 'rerun'] as const;

/** One of OWN_CAUSES, or the type of a trigger. */
export type Cause = string;

/** The single argument of every run's workflow, in the order in which people read it. Wire data, as is the plan. */
export interface RunInput {
  readonly cause: Cause;
  /** Who requested it, if a person did. */
  readonly by?: string;
  /** Absent for a scheduled run: it is derived from the tick. */
  readonly interval?: DataInterval;
  /** The given parameters; the plan's defaults apply to the rest. Frozen, so that a retry sees the same. */
  readonly params?: JsonObject;
  /** The event that started it. */
  readonly event?: RunEvent;
  /** The run that this one reruns. */
  readonly rerunOf?: RerunOf;
  /** The keys of pool slots held by tasks that wait for this run. */
  readonly heldByCallers?: readonly string[];
  readonly plan: Plan;
}

/** Parses the input of a run from a history or schedule; undefined when it is not a run's input, as others may start workflows too. */
export function runInputOf(value: unknown): RunInput | undefined {
  if (!isMap(value) || !isMap(value.plan)) return undefined;
  const { dagId, tasks } = value.plan;
  const isPlan = typeof dagId === 'string' && Array.isArray(tasks) && tasks.every((task) => isMap(task) && typeof task.name === 'string');
  return isPlan ? (value as unknown as RunInput) : undefined;
}

/** Whether a run covers an interval of the schedule: the schedule or a backfill started it, or the run that it reruns. */
export function isOfTimetable({ cause, rerunOf, plan: { dagId } }: Pick<RunInput, 'cause' | 'rerunOf' | 'plan'>): boolean {
  if (!rerunOf) return cause === 'scheduled' || cause === 'backfill';
  return isIdOfTimetable(rerunOf.original ?? rerunOf.pipelineRunId, dagId);
}

/** What a rerun takes over from the earlier run. */
export interface RerunOf {
  readonly pipelineRunId: string;
  readonly temporalRunId: string;
  /** The first run of a chain of reruns; absent: the run that this one reruns. */
  readonly original?: string;
  /** Results of tasks that do not run again, and of a list's items that do not run again. */
  readonly kept: Readonly<Record<string, TaskResult>>;
}

/** The status of a run that has not ended: running, queued, paused, or waiting for people (an approval, or a task on hold). */
export const RUN_STATUSES = ['running', 'queued', 'paused', 'approval', 'held'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** Whether the state is that of a run that has not ended. */
export function isUnderWay(state: string): state is RunStatus {
  return (RUN_STATUSES as readonly string[]).includes(state);
}

/** Whether the state is that of a run that waits for people. */
export function waitsForPeople(state: string): boolean {
  return state === 'approval' || state === 'held';
}

export interface TaskResult {
  readonly state: TaskState;
  readonly output?: Json;
  /** The error message of a failed task. */
  readonly error?: string;
  /** A short note for people: why it was skipped, who approved it, how many items are done. */
  readonly note?: string;
  /** For a list with failed items: the outputs of the others. */
  readonly partial?: PartialOutputs;
  /** For a list that succeeded without some items: their positions, from 0, counted across nested lists. */
  readonly missing?: readonly number[];
}

/** The state, besides Temporal's own, of a run that succeeded without some items of its lists. */
export const PARTIAL = 'partial';

/** The number of failed items in tasks that succeeded without them. */
export function failedItems(tasks: Readonly<Record<string, TaskResult>>): number {
  return Object.values(tasks).reduce((sum, { missing = [] }) => sum + missing.length, 0);
}

/** Outputs of the items of a list; null for items without an output. */
export interface PartialOutputs {
  readonly outputs: readonly Json[];
  /** Positions of the items without an output, from 0. */
  readonly missing: readonly number[];
}

/** The return value of a run's workflow, and the details of its failure when it fails. */
export interface RunResult {
  readonly state: 'success' | 'failed' | 'canceled';
  readonly interval: DataInterval;
  readonly tasks: Readonly<Record<string, TaskResult>>;
  /** The times of tasks that are not activities; the history has the times of the others. Absent in runs of earlier releases. */
  readonly times?: Readonly<Record<string, TaskTimes>>;
  /** Operator actions on the run: `skip load by ann: the source is down`. */
  readonly operations?: readonly string[];
}
