import { defineQuery, defineSignal, defineUpdate } from '../messages.ts';
import type { SlotNews, SlotRequest, SlotState } from './slots.ts';

/** The workflow that holds slots: registered by name, which no `dag_id` can have. */
export const SLOTS_WORKFLOW = 'SluiceSlots';

/** What a slots workflow begins with. Wire data. */
export interface SlotsInput {
  /** A pool stays as it was set; the slots of a pipeline's runs are what its latest run says, and need no keeping. */
  readonly kind: 'pool' | 'runs';
  readonly state: SlotState;
  /** What an earlier execution of the same slots had not told yet. */
  readonly untold?: readonly SlotNews[];
}

/** To a slots workflow. */
export const REQUEST_SLOTS = defineSignal<[SlotsRequest]>('request-slots');
/** With the key of the request. */
export const RELEASE_SLOTS = defineSignal<[key: string]>('release-slots');
export const RESIZE_POOL = defineUpdate<string, [capacity: number]>('resize');
export const SLOTS_QUERY = defineQuery<SlotState>('slots');

export interface SlotsRequest {
  readonly request: SlotRequest;
  /** How many there are, where the runs say it themselves. */
  readonly capacity?: number;
}

/** To the run that asked. */
export const SLOTS_ANSWER = defineSignal<[SlotsAnswer]>('slots-answer');

export interface SlotsAnswer {
  readonly key: string;
  readonly granted: boolean;
}

/** To a run that asked for more slots than there are. */
export const SLOTS_SHORTAGE = defineSignal<[SlotsShortage]>('slots-shortage');

export interface SlotsShortage {
  readonly key: string;
  readonly capacity: number;
}

/** What a run asks a worker to send: workflows cannot start a workflow by a signal themselves. */
export interface SlotsCall extends SlotsRequest {
  /** The slots workflow. */
  readonly workflowId: string;
  readonly kind: SlotsInput['kind'];
}

/** `pool/<name>`. */
export function poolId(name: string): string {
  return `pool/${name}`;
}

/** `<dag_id>/runs`, or `<dag_id>/runs/<key>` for those of one key. */
export function runSlotsId(dagId: string, key?: string): string {
  return `${dagId}/runs${key === undefined ? '' : `/${key}`}`;
}
