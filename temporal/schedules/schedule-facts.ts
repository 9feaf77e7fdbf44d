import { type Client, type ScheduleDescription, ScheduleNotFoundError } from '@temporalio/client';
import { runInputOf } from '../../workflows/plan/runs/run.ts';
import { whyUnreadable } from '../../workflows/plan/tasks/unreadable.ts';
import { PayloadRefused } from '../codec/codec.ts';
import { dagIdOf, type PipelineName, tickOf } from '../../workflows/plan/ids.ts';
import { type PipelineSource, readSourceMemo } from '../deployment/pipeline-source.ts';
import { type PausedSensors, readPausedSensors } from '../sensors/paused-sensors.ts';
import { readFollowUp, type ScheduleBefore } from './follow-up.ts';

/** Thrown when a pipeline has no schedule in Temporal. */
export class NotScheduled extends Error {
  override readonly name = 'NotScheduled';
  static of(name: PipelineName): NotScheduled {
    return new NotScheduled(`There is no schedule '${dagIdOf(name)}' in Temporal: apply the pipeline with scheduler.ts.`);
  }
}

/** The state of one of our Schedules. */
export interface ScheduleFacts extends ScheduleBefore {
  /** Of the deployment that it belongs to. */
  readonly taskQueue: string;
  /** Milliseconds. */
  readonly createdAt: number;
  /** The runs that it started recently, oldest first. */
  readonly startedRuns: readonly string[];
  /** Where it was applied from; absent if by an earlier version. */
  readonly source?: PipelineSource;
  /** The sensors that were paused when the pipeline was deleted; absent: none. */
  readonly pausedSensors?: PausedSensors;
}

/** @throws NotScheduled, PayloadRefused */
export async function scheduleOf(client: Client, name: PipelineName): Promise<ScheduleFacts> {
  try {
    return factsOf(await client.schedule.getHandle(name).describe());
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) throw NotScheduled.of(name);
    throw error;
  }
}

/** @throws NotScheduled when Sluice did not create the Schedule, PayloadRefused when this deployment did not encrypt its plan */
export function factsOf({ scheduleId, action, info, state, raw }: ScheduleDescription): ScheduleFacts {
  const [first] = (action.args ?? []) as unknown[];
  const why = whyUnreadable(first);
  if (why !== undefined) throw new PayloadRefused(`The plan in the schedule '${scheduleId}' ${why}`);
  const input = runInputOf(first);
  if (!input) throw new NotScheduled(`The schedule '${scheduleId}' was not made by Sluice.`);
  const followUp = readFollowUp(action.memo);
  const source = readSourceMemo(action.memo);
  const pausedSensors = readPausedSensors(action.memo);
  const count = Number(raw.info?.bufferSize ?? 0);
  const startedRuns = info.recentActions.map((taken) => taken.action.workflow.workflowId);
  const since = tickOf(startedRuns.at(-1) ?? '');
  return {
    plan: input.plan,
    taskQueue: action.taskQueue,
    createdAt: info.createdAt.getTime(),
    changedAt: (info.lastUpdatedAt ?? info.createdAt).getTime(),
    paused: state.paused && (state.note ?? true),
    startedRuns,
    ...(count > 0 && since !== undefined && { held: { count, since } }),
    ...(followUp && { followUp }),
    ...(source && { source }),
    ...(pausedSensors && { pausedSensors }),
  };
}
