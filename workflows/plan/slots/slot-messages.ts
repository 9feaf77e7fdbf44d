import { defineQuery, defineSignal, defineUpdate } from '../messages.ts';
import { boundedId } from '../values/bounded-id.ts';
import type { SlotNews, SlotRequest, SlotState } from './slots.ts';

/** The workflow that manages slots. Its type is a name that no `dag_id` can have. */
export const SLOTS_WORKFLOW = 'SluiceSlots';

/** The input of a slots workflow. Wire data. */
export interface SlotsInput {
  /** A pool keeps its capacity. The capacity of a pipeline's run slots comes with each request, so it need not be stored. */
  readonly kind: 'pool' | 'runs';
  readonly state: SlotState;
  /** News that an earlier execution of the workflow had not delivered yet. */
  readonly untold?: readonly SlotNews[];
}

/** Sent to a slots workflow. */
export const REQUEST_SLOTS = defineSignal<[SlotsRequest]>('request-slots');
/** Carries the key of the request. */
export const RELEASE_SLOTS = defineSignal<[key: string]>('release-slots');
export const RESIZE_POOL = defineUpdate<string, [capacity: number]>('resize');
export const SLOTS_QUERY = defineQuery<SlotState>('slots');

export interface SlotsRequest {
  readonly request: SlotRequest;
  /** The capacity, if the runs define it. */
  readonly capacity?: number;
}

/** Sent to the run that made the request. */
export const SLOTS_ANSWER = defineSignal<[SlotsAnswer]>('slots-answer');

export interface SlotsAnswer {
  readonly key: string;
  readonly granted: boolean;
}

/** Sent to a run that requested more slots than exist. */
export const SLOTS_SHORTAGE = defineSignal<[SlotsShortage]>('slots-shortage');

export interface SlotsShortage {
  readonly key: string;
  readonly capacity: number;
}

/** A run asks a worker to send this, because workflows cannot signal-with-start a workflow themselves. */
export interface SlotsCall extends SlotsRequest {
  /** The id of the slots workflow. */
  readonly workflowId: string;
  readonly kind: SlotsInput['kind'];
}

/** `pool/<name>`. */
export function poolId(name: string): string {
  return `pool/${name}`;
}

/** `<dag_id>/runs`, or `<dag_id>/runs/<key>` for the runs of one key. */
export function runSlotsId(dagId: string, key?: string): string {
  return `${dagId}/runs${key === undefined ? '' : `/${key}`}`;
}

/** The deployment whose slots have the ids of earlier releases: the default of `SLUICE_TASK_QUEUE`. */
const DEFAULT_DEPLOYMENT = 'sluice';

/**
 * The id of a slots workflow with its deployment: deployments of one namespace may have pools and pipelines of the same names.
 * @param id `pool/<name>`, or `<dag_id>/runs`
 * @returns `pool/<task queue>/<name>`, or `slots/<task queue>/<dag_id>/runs`; in the default deployment the id itself
 */
export function slotsIdIn(taskQueue: string, id: string): string {
  if (taskQueue === DEFAULT_DEPLOYMENT) return id;
  return boundedId(id.startsWith(poolId('')) ? poolId(`${taskQueue}/${id.slice(poolId('').length)}`) : `slots/${taskQueue}/${id}`);
}

/** The name of a pool, from the id of its workflow; undefined for other slots. */
export function poolName(id: string): string | undefined {
  return id.startsWith(poolId('')) ? id.slice(id.lastIndexOf('/') + 1) : undefined;
}
