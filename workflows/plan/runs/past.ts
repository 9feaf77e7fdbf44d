import { type DataInterval, dataIntervalAt, type SchedulePlan, tickBounds } from '../timetable/schedule.ts';

/** The activity that a task which depends on its past waits with; retried until it finds what it looks for. Wire data. */
export const PAST_ACTIVITY = 'past_of_task';

/** Where a task must have succeeded before another run starts it. Wire data. */
export interface PastQuestion {
  readonly dagId: string;
  readonly schedule: SchedulePlan;
  /** The interval before the run's own. */
  readonly interval: DataInterval;
  readonly task: string;
  /** The run that waits. */
  readonly pipelineRunId: string;
}

/** A past that lets a task start. */
export interface Past {
  /** Why it starts although nothing says that it has succeeded before. */
  readonly note?: string;
}

/**
 * The interval before one, by the timetable.
 * @returns undefined for the first one since `start_date`, and for an interval that is not of the timetable
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

/** The task whose past the activity with this id waits for. */
export function taskOfPast(activityId: string): string | undefined {
  return activityId.startsWith(PREFIX) ? activityId.slice(PREFIX.length).replace(/#\d+$/, '') : undefined;
}
