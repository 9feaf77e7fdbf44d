import {
  type Client,
  type ScheduleOptions,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { describeSchedule } from '../../workflows/plan/describe.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { codecOf } from '../codec/codec.ts';
import { type FollowUp, followUpMemo, followUpOf, markHash, readHash } from './follow-up.ts';
import { scheduledRunIdBase } from '../names.ts';
import { runStart } from '../runs/run-start.ts';
import { NotYet } from '../runs/runs.ts';
import { factsOf } from './schedule-facts.ts';
import { scheduleSpec, specHorizon } from './schedule-spec.ts';
import { searchAttribute } from '../search-attributes.ts';

/** One thing to do, or done, so that Temporal agrees with the files. */
export interface ScheduleChange {
  readonly dagId: string;
  /** `finish`: it agrees, but an update was interrupted before all that follows from it was done. */
  readonly action: 'create' | 'update' | 'finish' | 'delete' | 'unchanged';
  /** In a few words: `0 6 * * * UTC`, `plan 3f2a… → 91bc…`. */
  readonly detail: string;
  readonly plan?: Plan;
}

/** A schedule as Temporal lists it. */
export interface ScheduleState {
  readonly dagId: string;
  readonly planHash: string;
  /** Whether its last update has left something to do. */
  readonly isPending: boolean;
  readonly paused: boolean;
  /** The note of the last pause or resume. */
  readonly note: string;
  readonly nextRuns: readonly Date[];
  /** The runs that it has started lately, oldest first. */
  readonly startedRuns: readonly string[];
}

const INTERRUPTED = 'its last update was interrupted';

/** The schedules of one deployment (task queue): one list call, whatever their number. */
export async function listSchedules(client: Client, taskQueue: string): Promise<ScheduleState[]> {
  const found: ScheduleState[] = [];
  const query = `${SEARCH_ATTRIBUTES.queue.name} = ${JSON.stringify(taskQueue)}`;
  for await (const { scheduleId, searchAttributes, state, info } of client.schedule.list({ query })) {
    const hash = (searchAttributes as Record<string, readonly unknown[]> | undefined)?.[SEARCH_ATTRIBUTES.planHash.name]?.[0];
    found.push({
      dagId: scheduleId,
      ...readHash(String(hash ?? '')),
      paused: state.paused,
      note: state.note ?? '',
      nextRuns: info?.nextActionTimes ?? [],
      startedRuns: (info?.recentActions ?? []).map(({ action }) => action.workflow.workflowId),
    });
  }
  return found.sort((a, b) => (a.dagId < b.dagId ? -1 : 1));
}

/**
 * What would have to change. Definitions are compared by hash, not states: an unchanged file is left alone.
 * @param keep schedules that are not deleted although no plan is given, because their files cannot be read at the moment
 * @param keyId the key that encrypts payloads; absent: they are not encrypted
 */
export function diffSchedules(
  plans: readonly Plan[],
  existing: readonly ScheduleState[],
  keep: (dagId: string) => boolean,
  keyId?: string,
): ScheduleChange[] {
  const known = new Map(existing.map((schedule) => [schedule.dagId, schedule]));
  const wanted = new Set(plans.map((plan) => plan.dagId));
  return [
    ...plans.map((plan): ScheduleChange => {
      const schedule = known.get(plan.dagId);
      if (!schedule) return { dagId: plan.dagId, action: 'create', detail: describeSchedule(plan.schedule), plan };
      if (schedule.planHash === appliedHash(plan, keyId)) {
        if (schedule.isPending) return { dagId: plan.dagId, action: 'finish', detail: INTERRUPTED, plan };
        return { dagId: plan.dagId, action: 'unchanged', detail: describeSchedule(plan.schedule), plan };
      }
      return { dagId: plan.dagId, action: 'update', detail: describeUpdate(schedule.planHash, plan, keyId), plan };
    }),
    ...existing
      .filter(({ dagId }) => !wanted.has(dagId))
      .flatMap(({ dagId, isPending }): ScheduleChange[] => {
        if (!keep(dagId)) return [{ dagId, action: 'delete', detail: 'its file is gone' }];
        return isPending ? [{ dagId, action: 'finish', detail: INTERRUPTED }] : [];
      }),
  ];
}

/** What tells one applied definition from another: the plan's hash, until when what was made of it is good, and the key that encrypts it. */
function appliedHash({ hash, schedule }: Plan, keyId: string | undefined): string {
  return hash + specHorizon(schedule, Date.now()) + (keyId === undefined ? '' : `${KEY_MARK}${keyId}`);
}

const KEY_MARK = '#';

function describeUpdate(applied: string, { hash }: Plan, keyId: string | undefined): string {
  const [, appliedKey] = applied.split(KEY_MARK);
  if (applied.startsWith(hash) && appliedKey !== keyId)
    return keyId === undefined ? 'no longer encrypted' : `encrypted with the key '${keyId}'`;
  return `plan ${applied.slice(0, 12)} → ${hash.slice(0, 12)}`;
}

/**
 * Carries out one change of a Schedule; `finishUpdate` does what follows from it. Runs that have begun are not touched: they carry their own plan.
 */
export async function applyChange(client: Client, change: ScheduleChange, taskQueue: string): Promise<void> {
  const { dagId, action, plan } = change;
  if (action === 'delete') {
    await client.schedule
      .getHandle(dagId)
      .delete()
      .catch((error: unknown) => {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      });
    return;
  }
  if (action === 'unchanged' || action === 'finish' || !plan) return;
  NotYet.refuse(plan);
  const deployment = { taskQueue, keyId: codecOf(client).keyId };
  if (action === 'create') {
    try {
      await client.schedule.create(scheduleOptions(plan, deployment, followUpOf(plan)));
      return;
    } catch (error) {
      // The list that was compared with may lag behind a moment: then it is there, and is brought up to date.
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    }
  }
  await client.schedule.getHandle(dagId).update((description) => {
    const { state, typedSearchAttributes } = description;
    const owner = typedSearchAttributes?.getAll().find(({ key }) => key.name === SEARCH_ATTRIBUTES.queue.name)?.value;
    if (owner !== taskQueue) {
      throw new ScheduleOfAnotherDeployment(
        `There is a schedule '${dagId}' that ${owner === undefined ? 'Sluice did not make' : `belongs to the deployment with task queue '${String(owner)}'`}. ` +
          'Rename the pipeline, or delete that schedule if nobody needs it.',
      );
    }
    // Whether it is paused is the operators' word, not the file's.
    return { ...scheduleOptions(plan, deployment, followUpOf(plan, factsOf(description))), state };
  });
}

/** Thrown when a Schedule was updated by another scheduler while this one did what follows from an earlier update. */
export class UpdatedMeanwhile extends Error {
  override readonly name = 'UpdatedMeanwhile';
}

/**
 * Notes that what follows from the last update of a Schedule is done.
 * @param followUp what was done
 * @throws UpdatedMeanwhile
 */
export async function removeFollowUp(client: Client, plan: Plan, taskQueue: string, followUp: FollowUp): Promise<void> {
  const deployment = { taskQueue, keyId: codecOf(client).keyId };
  await client.schedule.getHandle(plan.dagId).update((description) => {
    const now = factsOf(description);
    if (now.plan.hash !== plan.hash || JSON.stringify(now.followUp) !== JSON.stringify(followUp)) {
      throw new UpdatedMeanwhile(`The schedule '${plan.dagId}' was updated by another scheduler in the meantime.`);
    }
    return { ...scheduleOptions(plan, deployment), state: description.state };
  });
}

/** Thrown when a pipeline's id is already a schedule of someone else in the same namespace. */
export class ScheduleOfAnotherDeployment extends Error {
  override readonly name = 'ScheduleOfAnotherDeployment';
}

/** The deployment that a Schedule belongs to. */
interface ScheduleOwner {
  readonly taskQueue: string;
  /** The key that encrypts its plan. */
  readonly keyId: string | undefined;
}

function scheduleOptions(plan: Plan, { taskQueue, keyId }: ScheduleOwner, followUp?: FollowUp): ScheduleOptions {
  const start = runStart(plan, 'scheduled', taskQueue);
  return {
    scheduleId: plan.dagId,
    spec: plan.schedule === null ? {} : scheduleSpec(plan.schedule, Date.now()),
    action: {
      type: 'startWorkflow',
      workflowType: plan.dagId,
      workflowId: scheduledRunIdBase(plan.dagId),
      ...start,
      ...(followUp && { memo: { ...start.memo, ...followUpMemo(followUp) } }),
    },
    policies: {
      // The default, SKIP, would lose ticks in silence while a run takes long; buffered ticks run one after the other, none lost. A pipeline
      // that says how many runs may be active has a queue of its own, which all causes share and everybody can see.
      overlap: plan.maxActiveRuns === undefined && !plan.concurrency ? ScheduleOverlapPolicy.BUFFER_ALL : ScheduleOverlapPolicy.ALLOW_ALL,
      catchupWindow: '365 days',
    },
    typedSearchAttributes: [
      searchAttribute('pipeline', plan.dagId),
      searchAttribute('planHash', markHash(appliedHash(plan, keyId), followUp)),
      searchAttribute('queue', taskQueue),
      ...(plan.owner === undefined ? [] : [searchAttribute('owner', plan.owner)]),
    ],
  };
}
