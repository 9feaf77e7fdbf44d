import { type Client, type ScheduleDescription, ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import { describeSchedule } from '../../workflows/plan/describe.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { codecOf } from '../codec/codec.ts';
import { markOf, type PipelineSource, type SourceMark } from '../deployment/pipeline-source.ts';
import { DELETED, readMark } from './applied-mark.ts';
import { type FollowUp, followUpOf } from './follow-up.ts';
import { dagIdOf, nameIn, type PipelineName } from '../../workflows/plan/ids.ts';
import { NotYet } from '../runs/runs.ts';
import { factsOf } from './schedule-facts.ts';
import { appliedHash, KEY_MARK, scheduleOptions } from './schedule-options.ts';
import { searchAttribute } from '../search-attributes.ts';
import { readPausedSensors } from '../sensors/paused-sensors.ts';

/** One change, planned or done, that makes Temporal match the files. */
export interface ScheduleChange {
  readonly dagId: string;
  /** Of the pipeline, if its Schedule exists. */
  readonly name?: PipelineName;
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
  /** The id of the Schedule; absent: the dag_id. */
  readonly name?: PipelineName;
  readonly dagId: string;
  /** It is kept without times, because it was paused when its pipeline was deleted. */
  readonly isDeleted?: true;
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

/** Lists the schedules of one deployment (task queue) with a single list call, without those of deleted pipelines. */
export async function listSchedules(client: Client, taskQueue: string): Promise<ScheduleState[]> {
  return (await listAllSchedules(client, taskQueue)).filter(({ isDeleted }) => !isDeleted);
}

/** Like `listSchedules`, with those of deleted pipelines that are kept. */
export async function listAllSchedules(client: Client, taskQueue: string): Promise<ScheduleState[]> {
  const found: ScheduleState[] = [];
  const query = `${SEARCH_ATTRIBUTES.queue.name} = ${JSON.stringify(taskQueue)}`;
  for await (const { scheduleId, searchAttributes, state, info } of client.schedule.list({ query })) {
    const mark = (searchAttributes as Record<string, readonly unknown[]> | undefined)?.[SEARCH_ATTRIBUTES.planHash.name]?.[0];
    found.push({
      name: scheduleId,
      dagId: dagIdOf(scheduleId),
      ...(mark === DELETED && { isDeleted: true }),
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
  const named = ({ name }: Pick<ScheduleState, 'name'>): Pick<ScheduleChange, 'name'> => (name === undefined ? {} : { name });
  const planned = new Set(plans.map((plan) => plan.dagId));
  return [
    ...plans.map((plan): ScheduleChange => {
      const schedule = known.get(plan.dagId);
      const source = sources.get(plan.dagId);
      const change = { dagId: plan.dagId, plan, ...(source && { source }), ...named(schedule ?? {}) };
      if (!schedule || schedule.isDeleted) return { ...change, action: 'create', detail: describeSchedule(plan.schedule) };
      if (schedule.planHash !== appliedHash(plan, keyId))
        return { ...change, action: 'update', detail: describeUpdate(schedule.planHash, plan, keyId) };
      if (source && !isFrom(source, schedule.source)) return { ...change, action: 'update', detail: `from ${source.file}` };
      if (schedule.isPending) return { ...change, action: 'finish', detail: INTERRUPTED };
      return { ...change, action: 'unchanged', detail: describeSchedule(plan.schedule) };
    }),
    ...existing
      .filter(({ dagId, isDeleted }) => !planned.has(dagId) && !isDeleted)
      .flatMap(({ dagId, isPending, ...schedule }): ScheduleChange[] => {
        if (!keep(dagId)) return [{ dagId, action: 'delete', detail: 'its file is gone', ...named(schedule) }];
        return isPending ? [{ dagId, action: 'finish', detail: INTERRUPTED, ...named(schedule) }] : [];
      }),
  ];
}

function isFrom(source: PipelineSource, applied: SourceMark | undefined): boolean {
  const mark = markOf(source);
  return applied !== undefined && applied.project === mark.project && applied.file === mark.file;
}

function describeUpdate(applied: string, { hash }: Plan, keyId: string | undefined): string {
  const [, appliedKey] = applied.split(KEY_MARK);
  if (applied.startsWith(hash) && appliedKey !== keyId)
    return keyId === undefined ? 'no longer encrypted' : `encrypted with the key '${keyId}'`;
  return `plan ${applied.slice(0, 12)} → ${hash.slice(0, 12)}`;
}

/**
 * Applies one change of a Schedule; `finishUpdate` does the follow-up. Started runs are not affected: they carry their own plan.
 * @returns the name of the pipeline: if another deployment has its dag_id, a new Schedule gets one with this deployment
 * @throws ScheduleOfAnother, NotYet
 */
export async function applyChange(client: Client, change: ScheduleChange, taskQueue: string): Promise<PipelineName> {
  const { dagId, name = dagId, action, plan } = change;
  if (action === 'delete') await deleteSchedule(client, name, taskQueue);
  if (action !== 'create' && action !== 'update') return name;
  if (!plan) return name;
  NotYet.refuse(plan);
  const write = async (at: PipelineName): Promise<PipelineName> => {
    if (action === 'create' && (await createSchedule(client, at, change, plan, taskQueue))) return at;
    await updateSchedule(client, at, change, plan, taskQueue);
    return at;
  };
  const own = nameIn(taskQueue, dagId);
  return write(name).catch((error: unknown) => {
    if (error instanceof TakenByDeployment && name !== own) return write(own);
    throw error;
  });
}

/** @returns false if it exists: the list may lag a moment behind */
async function createSchedule(
  client: Client,
  name: PipelineName,
  { source }: ScheduleChange,
  plan: Plan,
  taskQueue: string,
): Promise<boolean> {
  const deployment = { name, taskQueue, keyId: codecOf(client).keyId, ...(source && { source }) };
  try {
    await client.schedule.create(scheduleOptions(plan, deployment, followUpOf(plan)));
    return true;
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw error;
  }
}

/** @throws TakenByDeployment, ScheduleOfAnother */
async function updateSchedule(
  client: Client,
  name: PipelineName,
  { dagId, source }: ScheduleChange,
  plan: Plan,
  taskQueue: string,
): Promise<void> {
  const deployment = { name, taskQueue, keyId: codecOf(client).keyId, ...(source && { source }) };
  await client.schedule.getHandle(name).update((description) => {
    const { state, typedSearchAttributes } = description;
    const queue = typedSearchAttributes.get(SEARCH_ATTRIBUTES.queue);
    if (queue !== undefined && queue !== taskQueue)
      throw new TakenByDeployment(`The schedule '${name}' belongs to the deployment with task queue '${queue}'.`);
    if (queue === undefined) {
      throw new ScheduleOfAnother(
        `There is a schedule '${name}' that Sluice did not make. Rename the pipeline, or delete that schedule if it is not needed.`,
      );
    }
    const before = factsOf(description);
    const owner = before.source?.project;
    if (source && owner !== undefined && owner !== source.project && !isDeleted(description)) {
      throw new ScheduleOfAnother(
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
async function deleteSchedule(client: Client, name: PipelineName, taskQueue: string): Promise<void> {
  const handle = client.schedule.getHandle(name);
  try {
    const { state: found, action: start } = await handle.describe();
    if (!found.paused && !readPausedSensors(start.memo)) return await handle.delete();
    await handle.update(({ action, policies, state: now }) => ({
      spec: {},
      action,
      policies,
      state: now,
      typedSearchAttributes: [
        searchAttribute('pipeline', dagIdOf(name)),
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
export async function removeFollowUp(client: Client, name: PipelineName, plan: Plan, taskQueue: string, followUp: FollowUp): Promise<void> {
  await client.schedule.getHandle(name).update((description) => {
    const now = factsOf(description);
    const { source, pausedSensors } = now;
    const deployment = {
      name,
      taskQueue,
      keyId: codecOf(client).keyId,
      ...(source && { source }),
      ...(pausedSensors && { pausedSensors }),
    };
    if (now.plan.hash !== plan.hash || JSON.stringify(now.followUp) !== JSON.stringify(followUp)) {
      throw new UpdatedMeanwhile(`The schedule '${plan.dagId}' was updated by another scheduler in the meantime.`);
    }
    return { ...scheduleOptions(plan, deployment), state: description.state };
  });
}

/** Thrown when the id of a pipeline belongs to a schedule of another project, or to one that Sluice did not make. */
export class ScheduleOfAnother extends Error {
  override readonly name = 'ScheduleOfAnother';
}

/** The name of a pipeline belongs to another deployment in the same namespace. */
class TakenByDeployment extends Error {
  override readonly name = 'TakenByDeployment';
}
