import { type DataInterval, dataIntervalAt, type SchedulePlan, tickBounds } from '../timetable/schedule.ts';

/** The activity that waits for a task's past. It is retried until the past allows the task to start. Wire data. */
export const PAST_ACTIVITY = 'past_of_task';

/** The task and interval that must have succeeded before another run starts the task. Wire data. */
export interface PastQuestion {
  readonly dagId: string;
  readonly schedule: SchedulePlan;
  /** The interval before that of the waiting run. */
  readonly interval: DataInterval;
  readonly task: string;
  /** The waiting run. */
  readonly pipelineRunId: string;
}

/** A past that allows a task to start. */
export interface Past {
  /** Why the task starts without a recorded earlier success. */
  readonly note?: string;
}

/**
 * The interval before this one in the schedule.
 * @returns undefined for the first interval since `start_date`, and for an interval that is not part of the schedule
 */
export function intervalBefore(schedule: SchedulePlan | null, { start, end }: DataInterval): DataInterval | undefined {
  if (schedule === null) return undefined;
  const from = Date.parse(start);
  const own = dataIntervalAt(schedule, Date.parse(end));
  const isOfTimetable = Date.parse(own.start) === from && Date.parse(own.end) === Date.parse(end);
  if (!isOfTimetable || from < tickBounds(schedule).firstTick) return undefined;
  const before = dataIntervalAt(schedule, from);
  return Date.parse(before.start) < from ? before : undefined;
}

const PREFIX = 'past of ';

/** The id of the activity that waits for the past of a task. @param round from 1 */
export function pastId(task: string, round: number): string {
  return `${PREFIX}${task}${round === 1 ? '' : `#${round}`}`;
}

/** The task that the activity with this id waits for. */
export function taskOfPast(activityId: string): string | undefined {
  return activityId.startsWith(PREFIX) ? activityId.slice(PREFIX.length).replace(/#\d+$/, '') : undefined;
}
