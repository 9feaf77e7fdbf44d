import type { Plan } from '../../workflows/plan/plan.ts';
import { intervalsCompletedSince } from '../../workflows/plan/timetable/intervals.ts';
import type { SchedulePlan } from '../../workflows/plan/timetable/schedule.ts';

/**
 * What is left to do after a Schedule was created or updated. It is written with the update itself and removed when it is done, so that a
 * scheduler that is killed between the two leaves it to the next one. Persisted: as JSON in the memo of the Schedule's action.
 */
export interface FollowUp {
  /** Ticks that updates may have dropped. */
  readonly dropped: readonly TickSpan[];
}

/** The ticks of a schedule that were due in `(from, to]`, milliseconds. */
export interface TickSpan {
  readonly schedule: SchedulePlan;
  readonly from: number;
  /** Absent: until the update that the follow-up is of. */
  readonly to?: number;
  readonly held?: HeldTicks;
}

/** Ticks that a Schedule holds back survive an update, and are left to it: the first `count` after `since` that have no run. */
export interface HeldTicks {
  readonly count: number;
  /** The last tick that has a run, milliseconds. */
  readonly since: number;
}

/** A Schedule as it is when an update of it is sent. */
export interface ScheduleBefore {
  readonly plan: Plan;
  /** Its last update, else its creation. Milliseconds. */
  readonly changedAt: number;
  /** With the reason, if somebody gave one. */
  readonly paused: boolean | string;
  /** What it holds back; absent: nothing. */
  readonly held?: HeldTicks;
  /** What its last update has left to do; absent when that is done. */
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
 * What applying a plan leaves to do.
 * @param before the Schedule as it is when the update is sent; absent when it is created
 * @returns undefined: nothing
 */
export function followUpOf(plan: Plan, before?: ScheduleBefore): FollowUp | undefined {
  const dropped = before ? droppedBy(before) : [];
  return dropped.length > 0 || plan.catchup ? { dropped } : undefined;
}

/** The ticks that an update of a Schedule may drop, with those of earlier updates whose follow-up was interrupted. */
function droppedBy({ plan: { schedule }, changedAt, paused, held, followUp }: ScheduleBefore): TickSpan[] {
  const earlier = (followUp?.dropped ?? []).map((span) => ({ ...span, to: span.to ?? changedAt }));
  return [
    // What has no ticks is not carried along: updates that are interrupted again and again make no long list.
    ...earlier.filter(({ schedule: old, from, to }) => intervalsCompletedSince(old, from, to).length > 0),
    // Temporal forgets what it has not worked through yet.
    ...(schedule && paused === false ? [{ schedule, from: changedAt, ...(held && { held }) }] : []),
  ];
}
