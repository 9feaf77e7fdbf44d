import type { Plan } from '../../workflows/plan/plan.ts';
import { intervalsCompletedSince } from '../../workflows/plan/timetable/intervals.ts';
import type { SchedulePlan } from '../../workflows/plan/timetable/schedule.ts';

/**
 * The work left after a Schedule was created or updated. It is written with the update itself and removed when it is done, so that the next
 * scheduler completes it if this one is killed. Persisted as JSON in the memo of the Schedule's action.
 */
export interface FollowUp {
  /** Ticks that updates may have dropped. */
  readonly dropped: readonly TickSpan[];
}

/** The ticks of a schedule that were due in `(from, to]`, milliseconds. */
export interface TickSpan {
  readonly schedule: SchedulePlan;
  readonly from: number;
  /** Absent: until the update that this follow-up belongs to. */
  readonly to?: number;
  readonly held?: HeldTicks;
}

/** Buffered ticks survive an update and are left to the Schedule: the first `count` ticks after `since` without a run. */
export interface HeldTicks {
  readonly count: number;
  /** The last tick that has a run, milliseconds. */
  readonly since: number;
}

/** A Schedule at the time its update is sent. */
export interface ScheduleBefore {
  readonly plan: Plan;
  /** Its last update, or its creation. Milliseconds. */
  readonly changedAt: number;
  /** Includes the reason, if one was given. */
  readonly paused: boolean | string;
  /** Its buffered ticks; absent if there are none. */
  readonly held?: HeldTicks;
  /** The unfinished follow-up of its last update; absent if it is done. */
  readonly followUp?: FollowUp;
}

const MEMO = 'sluice_follow_up';

/** The memo of the action of a Schedule with a follow-up. */
export function followUpMemo(followUp: FollowUp): Record<string, unknown> {
  return { [MEMO]: followUp };
}

export function readFollowUp(memo: Record<string, unknown> | undefined): FollowUp | undefined {
  return memo?.[MEMO] as FollowUp | undefined;
}

/**
 * Determines the follow-up of applying a plan.
 * @param before the Schedule at the time the update is sent; absent when it is created
 * @returns undefined if there is nothing to do
 */
export function followUpOf(plan: Plan, before?: ScheduleBefore): FollowUp | undefined {
  const dropped = before ? droppedBy(before) : [];
  return dropped.length > 0 || plan.catchup ? { dropped } : undefined;
}

/** The ticks that an update of a Schedule may drop, and those of earlier updates whose follow-up was interrupted. */
function droppedBy({ plan: { schedule }, changedAt, paused, held, followUp }: ScheduleBefore): TickSpan[] {
  const earlier = (followUp?.dropped ?? []).map((span) => ({ ...span, to: span.to ?? changedAt }));
  return [
    // Drop spans without ticks, so that repeated interruptions do not grow the list.
    ...earlier.filter(({ schedule: old, from, to }) => intervalsCompletedSince(old, from, to).length > 0),
    // Temporal forgets ticks that it has not processed yet.
    ...(schedule && paused === false ? [{ schedule, from: changedAt, ...(held && { held }) }] : []),
  ];
}
