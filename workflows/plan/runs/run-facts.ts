import type { SearchAttributePair } from '@temporalio/common';
import { dataVariant } from './data-variant.ts';
import { describeCause, describePlan, describeSchedule } from '../describe.ts';
import type { JsonObject } from '../values/json.ts';
import type { Plan } from '../plan.ts';
import type { Cause, RerunOf, RunInput } from './run.ts';
import type { DataInterval } from '../timetable/schedule.ts';
import type { RunEvent } from '../trigger.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';

/** Marks a run whose parameters or event make its data differ from that of the schedule. */
export const VARIANT_MEMO = 'sluice_variant';

/** What all starts of a run share: its input, and what Temporal shows and indexes. */
export interface RunFacts {
  readonly args: [RunInput];
  readonly staticSummary: string;
  readonly staticDetails: string;
  /** Absent for runs with default parameters and no event. */
  readonly memo?: { readonly [VARIANT_MEMO]: true };
  readonly typedSearchAttributes: SearchAttributePair[];
}

/** @param detail shown after the cause in the summary; absent: the interval, or the schedule */
export function runFacts(
  plan: Plan,
  cause: Cause,
  given: {
    readonly by?: string;
    readonly interval?: DataInterval;
    readonly params?: JsonObject;
    readonly event?: RunEvent;
    readonly rerunOf?: RerunOf;
    readonly heldByCallers?: readonly string[];
    readonly detail?: string;
  },
): RunFacts {
  const { by, interval, params, event, rerunOf, heldByCallers, detail } = given;
  const { pipeline, cause: causeAttribute, planHash, owner, interval: start, intervalEnd: end } = SEARCH_ATTRIBUTES;
  return {
    // The plan comes last: it takes hundreds of lines in the Temporal UI, and the other fields distinguish this run from others.
    args: [
      {
        cause,
        ...(by !== undefined && { by }),
        ...(interval && { interval }),
        ...(params && { params }),
        ...(event && { event }),
        ...(rerunOf && { rerunOf }),
        ...(heldByCallers?.length && { heldByCallers }),
        plan,
      },
    ],
    staticSummary: describeCause(
      cause,
      detail ?? (interval ? `data of ${interval.start} – ${interval.end}` : describeSchedule(plan.schedule)),
    ),
    staticDetails: describePlan(plan),
    ...(dataVariant({ plan, ...(event && { event }) }, params ?? {}, '') && { memo: { [VARIANT_MEMO]: true } }),
    typedSearchAttributes: [
      { key: pipeline, value: plan.dagId },
      { key: causeAttribute, value: cause },
      { key: planHash, value: plan.hash },
      ...(plan.owner === undefined ? [] : [{ key: owner, value: plan.owner }]),
      ...(interval
        ? [
            { key: start, value: new Date(interval.start) },
            { key: end, value: new Date(interval.end) },
          ]
        : []),
    ],
  };
}
