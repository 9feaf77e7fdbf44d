import {
  type Client,
  type ScheduleDescription,
  type ScheduleOptions,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { describeSchedule } from '../../workflows/plan/describe.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { codecOf } from '../codec/codec.ts';
import { markOf, type PipelineSource, type SourceMark, sourceMemo } from '../deployment/pipeline-source.ts';
import { DELETED, readMark, writeMark } from './applied-mark.ts';
import { type FollowUp, followUpMemo, followUpOf } from './follow-up.ts';
import { scheduledRunIdBase } from '../names.ts';
import { runStart } from '../runs/run-start.ts';
import { NotYet } from '../runs/runs.ts';
import { factsOf } from './schedule-facts.ts';
import { scheduleSpec, specHorizon } from './schedule-spec.ts';
import { searchAttribute } from '../search-attributes.ts';
import { type PausedSensors, pausedSensorsMemo, readPausedSensors } from '../sensors/paused-sensors.ts';

/** One change, planned or done, that makes Temporal match the files. */
export interface ScheduleChange {
  readonly dagId: string;
  /** `finish`: the Schedule matches, but the follow-up of an update was interrupted. */
  readonly action: 'create' | 'update' | 'finish' | 'delete' | 'unchanged';
  /** A short description: `0 6 * * * UTC`, `plan 3f2a… → 91bc…`. */
  readonly detail: string;
  readonly plan?: Plan;
  /** Where the plan was applied from. */
  readonly source?: PipelineSource;
}

/** A schedule as Temporal lists it. */
export interface ScheduleState {
  readonly dagId: string;
  readonly planHash: string;
  /** Where it was applied from; absent if by an earlier version. */
  readonly source?: SourceMark;
  /** Whether its last update has an unfinished follow-up. */
  readonly isPending: boolean;
  readonly paused: boolean;
  /** The note of the last pause or resume. */
  readonly note: string;
  readonly nextRuns: readonly Date[];
  /** The runs that it started recently, oldest first. */
  readonly startedRuns: readonly string[];
}

const INTERRUPTED = 'its last update was interrupted';

/** Lists the schedules of one deployment (task queue) with a single list call. */
export async function listSchedules(client: Client, taskQueue: string): Promise<ScheduleState[]> {
  const found: ScheduleState[] = [];
  const query = `${SEARCH_ATTRIBUTES.queue.name} = ${JSON.stringify(taskQueue)}`;
  for await (const { scheduleId, searchAttributes, state, info } of client.schedule.list({ query })) {
    const mark = (searchAttributes as Record<string, readonly unknown[]> | undefined)?.[SEARCH_ATTRIBUTES.planHash.name]?.[0];
    if (mark === DELETED) continue;
    found.push({
      dagId: scheduleId,
      ...readMark(String(mark ?? '')),
      paused: state.paused,
      note: state.note ?? '',
      nextRuns: info?.nextActionTimes ?? [],
      startedRuns: (info?.recentActions ?? []).map(({ action }) => action.workflow.workflowId),
    });
  }
  return found.sort((a, b) => (a.dagId < b.dagId ? -1 : 1));
}

/**
 * Determines the changes. Compares hashes of definitions, not states, so that an unchanged file causes no change.
 * @param keep schedules without a plan that are not deleted, because their files cannot be read at the moment
 * @param keyId the key that encrypts payloads; absent without encryption
 * @param sources where plans are applied from, by dag_id
 */
export function diffSchedules(
  plans: readonly Plan[],
  existing: readonly ScheduleState[],
  keep: (dagId: string) => boolean,
  keyId?: string,
  sources: ReadonlyMap<string, PipelineSource> = new Map(),
): ScheduleChange[] {
  const known = new Map(existing.map((schedule) => [schedule.dagId, schedule]));
  const planned = new Set(plans.map((plan) => plan.dagId));
  return [
    ...plans.map((plan): ScheduleChange => {
      const schedule = known.get(plan.dagId);
      const source = sources.get(plan.dagId);
      const change = { dagId: plan.dagId, plan, ...(source && { source }) };
      if (!schedule) return { ...change, action: 'create', detail: describeSchedule(plan.schedule) };
      if (schedule.planHash !== appliedHash(plan, keyId))
        return { ...change, action: 'update', detail: describeUpdate(schedule.planHash, plan, keyId) };
      if (source && !isFrom(source, schedule.source)) return { ...change, action: 'update', detail: `from ${source.file}` };
      if (schedule.isPending) return { ...change, action: 'finish', detail: INTERRUPTED };
      return { ...change, action: 'unchanged', detail: describeSchedule(plan.schedule) };
    }),
    ...existing
      .filter(({ dagId }) => !planned.has(dagId))
      .flatMap(({ dagId, isPending }): ScheduleChange[] => {
        if (!keep(dagId)) return [{ dagId, action: 'delete', detail: 'its file is gone' }];
        return isPending ? [{ dagId, action: 'finish', detail: INTERRUPTED }] : [];
      }),
  ];
}

function isFrom(source: PipelineSource, applied: SourceMark | undefined): boolean {
  const mark = markOf(source);
  return applied !== undefined && applied.project === mark.project && applied.file === mark.file;
}

/** Identifies an applied definition: the plan's hash, the horizon of its spec, and the key that encrypts it. */
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
 * Applies one change of a Schedule; `finishUpdate` does the follow-up. Started runs are not affected: they carry their own plan.
 */
export async function applyChange(client: Client, change: ScheduleChange, taskQueue: string): Promise<void> {
  const { dagId, action, plan, source } = change;
  if (action === 'delete') return deleteSchedule(client, dagId, taskQueue);
  if (action === 'unchanged' || action === 'finish' || !plan) return;
  NotYet.refuse(plan);
  const deployment = { taskQueue, keyId: codecOf(client).keyId, ...(source && { source }) };
  if (action === 'create') {
    try {
      await client.schedule.create(scheduleOptions(plan, deployment, followUpOf(plan)));
      return;
    } catch (error) {
      // The list may lag a moment behind: if the Schedule exists, update it.
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    }
  }
  await client.schedule.getHandle(dagId).update((description) => {
    const { state, typedSearchAttributes } = description;
    const queue = typedSearchAttributes.get(SEARCH_ATTRIBUTES.queue);
    if (queue !== taskQueue) {
      throw new ScheduleOfAnotherDeployment(
        `There is a schedule '${dagId}' that ${queue === undefined ? 'Sluice did not make' : `belongs to the deployment with task queue '${queue}'`}. ` +
          'Rename the pipeline, or delete that schedule if it is not needed.',
      );
    }
    const before = factsOf(description);
    const owner = before.source?.project;
    if (source && owner !== undefined && owner !== source.project && !isDeleted(description)) {
      throw new ScheduleOfAnotherDeployment(
        `There is a schedule '${dagId}' that belongs to the project '${owner}' (${before.source?.file}). ` +
          `Rename the pipeline; or delete that file and apply '${owner}' with --prune, if the pipeline moves to '${source.project}'.`,
      );
    }
    // Operators pause schedules; the file does not control it.
    const pausedSensors = isDeleted(description) ? before.pausedSensors : undefined;
    return { ...scheduleOptions(plan, { ...deployment, ...(pausedSensors && { pausedSensors }) }, followUpOf(plan, before)), state };
  });
}

/**
 * Deletes a Schedule. One that is paused, or has a paused sensor, is kept without times and marked as deleted: if its pipeline returns, it
 * is still paused, with the note of its operator.
 */
async function deleteSchedule(client: Client, dagId: string, taskQueue: string): Promise<void> {
  const handle = client.schedule.getHandle(dagId);
  try {
    const { state: found, action: start } = await handle.describe();
    if (!found.paused && !readPausedSensors(start.memo)) return await handle.delete();
    await handle.update(({ action, policies, state: now }) => ({
      spec: {},
      action,
      policies,
      state: now,
      typedSearchAttributes: [
        searchAttribute('pipeline', dagId),
        searchAttribute('planHash', DELETED),
        searchAttribute('queue', taskQueue),
      ],
    }));
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

function isDeleted({ typedSearchAttributes }: ScheduleDescription): boolean {
  return typedSearchAttributes.get(SEARCH_ATTRIBUTES.planHash) === DELETED;
}

/** Thrown when another scheduler updated a Schedule during the follow-up of an earlier update. */
export class UpdatedMeanwhile extends Error {
  override readonly name = 'UpdatedMeanwhile';
}

/**
 * Records that the follow-up of a Schedule's last update is done.
 * @param followUp the completed follow-up
 * @throws UpdatedMeanwhile
 */
export async function removeFollowUp(client: Client, plan: Plan, taskQueue: string, followUp: FollowUp): Promise<void> {
  await client.schedule.getHandle(plan.dagId).update((description) => {
    const now = factsOf(description);
    const { source, pausedSensors } = now;
    const deployment = { taskQueue, keyId: codecOf(client).keyId, ...(source && { source }), ...(pausedSensors && { pausedSensors }) };
    if (now.plan.hash !== plan.hash || JSON.stringify(now.followUp) !== JSON.stringify(followUp)) {
      throw new UpdatedMeanwhile(`The schedule '${plan.dagId}' was updated by another scheduler in the meantime.`);
    }
    return { ...scheduleOptions(plan, deployment), state: description.state };
  });
}

/** Thrown when the id of a pipeline belongs to a schedule of another deployment in the same namespace. */
export class ScheduleOfAnotherDeployment extends Error {
  override readonly name = 'ScheduleOfAnotherDeployment';
}

/** The deployment that a Schedule belongs to. */
interface ScheduleOwner {
  readonly taskQueue: string;
  /** The key that encrypts its plan. */
  readonly keyId: string | undefined;
  /** Where its plan was applied from. */
  readonly source?: PipelineSource;
  readonly pausedSensors?: PausedSensors;
}

function scheduleOptions(plan: Plan, { taskQueue, keyId, source, pausedSensors }: ScheduleOwner, followUp?: FollowUp): ScheduleOptions {
  const start = runStart(plan, 'scheduled', taskQueue);
  return {
    scheduleId: plan.dagId,
    spec: plan.schedule === null ? {} : scheduleSpec(plan.schedule, Date.now()),
    action: {
      type: 'startWorkflow',
      workflowType: plan.dagId,
      workflowId: scheduledRunIdBase(plan.dagId),
      ...start,
      memo: { ...start.memo, ...sourceMemo(source), ...pausedSensorsMemo(pausedSensors), ...(followUp && followUpMemo(followUp)) },
    },
    policies: {
      // The default, SKIP, would silently drop ticks while a run takes long; buffered ticks run one after the other. A pipeline that limits
      // its active runs uses its own queue, which all run types share and operators can inspect.
      overlap: plan.maxActiveRuns === undefined && !plan.concurrency ? ScheduleOverlapPolicy.BUFFER_ALL : ScheduleOverlapPolicy.ALLOW_ALL,
      catchupWindow: '365 days',
    },
    typedSearchAttributes: [
      searchAttribute('pipeline', plan.dagId),
      searchAttribute(
        'planHash',
        writeMark({ planHash: appliedHash(plan, keyId), ...(source && { source: markOf(source) }), isPending: followUp !== undefined }),
      ),
      searchAttribute('queue', taskQueue),
      ...(plan.owner === undefined ? [] : [searchAttribute('owner', plan.owner)]),
    ],
  };
}
