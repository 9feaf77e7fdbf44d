import { isMap, type Json, type JsonObject } from '../values/json.ts';
import type { Plan } from '../plan.ts';
import type { DataInterval } from '../timetable/schedule.ts';
import type { RunEvent } from '../trigger.ts';
import type { TaskState } from '../tasks/task-state.ts';
import type { TaskTimes } from '../tasks/task-times.ts';

/**
 * Why a run exists that no event has started. A run that a trigger has started has the trigger's type as its cause: no other type has one of
 * these names. Those of the `pipeline` trigger share it with the runs that tasks start.
 */
export const OWN_CAUSES = ['scheduled', 'manual', 'pipeline', 'backfill', 'rerun'] as const;

/** One of OWN_CAUSES, or the type of a trigger. */
export type Cause = string;

/** The one argument of every pipeline run's workflow, in the order in which people read it. Wire data, as the plan is. */
export interface RunInput {
  readonly cause: Cause;
  /** Who asked for it, where a person did. */
  readonly by?: string;
  /** Absent for a scheduled run: it follows from the tick. */
  readonly interval?: DataInterval;
  /** What the run was given; the plan's defaults stand for the rest. Frozen: a retry sees the same. */
  readonly params?: JsonObject;
  /** The event that started it. */
  readonly event?: RunEvent;
  /** The run that this one repeats in part. */
  readonly rerunOf?: RerunOf;
  /** The keys of pool slots that are held by the tasks that wait for it. */
  readonly heldByCallers?: readonly string[];
  readonly plan: Plan;
}

/** The input of a run as a history or a schedule holds it; undefined when it is no such input: others may start workflows too. */
export function runInputOf(value: unknown): RunInput | undefined {
  if (!isMap(value) || !isMap(value.plan)) return undefined;
  const { dagId, tasks } = value.plan;
  const isPlan = typeof dagId === 'string' && Array.isArray(tasks) && tasks.every((task) => isMap(task) && typeof task.name === 'string');
  return isPlan ? (value as unknown as RunInput) : undefined;
}

/** Whether a run stands for an interval of the timetable, which need not be the newest: the clock or a backfill started it, or the one that it repeats. */
export function isOfTimetable({ cause, rerunOf, plan: { dagId } }: Pick<RunInput, 'cause' | 'rerunOf' | 'plan'>): boolean {
  if (!rerunOf) return cause === 'scheduled' || cause === 'backfill';
  const origin = rerunOf.original ?? rerunOf.pipelineRunId;
  return [`${dagId}/scheduled-`, `${dagId}/backfill/`].some((start) => origin.startsWith(start));
}

/** What a rerun takes over from the run that it repeats. */
export interface RerunOf {
  readonly pipelineRunId: string;
  readonly temporalRunId: string;
  /** The first of a chain of runs that repeat each other; absent: the one that this one repeats. */
  readonly original?: string;
  /** Tasks that do not run again, with how they ended; and of a list of items, those that do not. */
  readonly kept: Readonly<Record<string, TaskResult>>;
}

/** How a run that has not ended stands: it runs, waits for its turn, is paused, or waits for people: for an approval, or with a task on hold. */
export const RUN_STATUSES = ['running', 'queued', 'paused', 'approval', 'held'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** Whether a run in this state has not ended. */
export function isUnderWay(state: string): state is RunStatus {
  return (RUN_STATUSES as readonly string[]).includes(state);
}

/** Whether a run in this state waits for people. */
export function waitsForPeople(state: string): boolean {
  return state === 'approval' || state === 'held';
}

export interface TaskResult {
  readonly state: TaskState;
  readonly output?: Json;
  /** The failure's message, for a failed task. */
  readonly error?: string;
  /** A few words for people: why it was skipped, who approved it, how many items are done. */
  readonly note?: string;
  /** Of a list whose items have failed in part: what the others gave. */
  readonly partial?: PartialOutputs;
  /** Of a list that succeeded without some of its items: the places of those, from 0; with lists inside lists, in one row. */
  readonly missing?: readonly number[];
}

/** The state of an ended run, beside Temporal's own, that succeeded without some items of its lists. */
export const PARTIAL = 'partial';

/** How many items of lists have failed in tasks that succeeded without them. */
export function failedItems(tasks: Readonly<Record<string, TaskResult>>): number {
  return Object.values(tasks).reduce((sum, { missing = [] }) => sum + missing.length, 0);
}

/** Outputs of the items of a list, null for those that have none. */
export interface PartialOutputs {
  readonly outputs: readonly Json[];
  /** Places of the items without an output, from 0. */
  readonly missing: readonly number[];
}

/** What a run's workflow returns, and carries as details of its failure when it fails. */
export interface RunResult {
  readonly state: 'success' | 'failed' | 'canceled';
  readonly interval: DataInterval;
  readonly tasks: Readonly<Record<string, TaskResult>>;
  /** When tasks ran that are no activities; of the others the history says it. Absent in runs of earlier releases. */
  readonly times?: Readonly<Record<string, TaskTimes>>;
  /** What operators did to it: `skip load by ann: the source is down`. */
  readonly operations?: readonly string[];
}
