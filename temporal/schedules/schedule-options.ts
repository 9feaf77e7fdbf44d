import { type ScheduleOptions, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Plan } from '../../workflows/plan/plan.ts';
import { type PipelineName, scheduledRunIdBase } from '../../workflows/plan/ids.ts';
import { markOf, type PipelineSource, sourceMemo } from '../deployment/pipeline-source.ts';
import { runStart } from '../runs/run-start.ts';
import { searchAttribute } from '../search-attributes.ts';
import { type PausedSensors, pausedSensorsMemo } from '../sensors/paused-sensors.ts';
import { writeMark } from './applied-mark.ts';
import { type FollowUp, followUpMemo } from './follow-up.ts';
import { scheduleSpec, specHorizon } from './schedule-spec.ts';

/** Identifies an applied definition: the plan's hash, the horizon of its spec, and the key that encrypts it. */
export function appliedHash({ hash, schedule }: Plan, keyId: string | undefined): string {
  return hash + specHorizon(schedule, Date.now()) + (keyId === undefined ? '' : `${KEY_MARK}${keyId}`);
}

export const KEY_MARK = '#';

/** The deployment that a Schedule belongs to. */
interface ScheduleOwner {
  /** The pipeline's name. */
  readonly name: PipelineName;
  readonly taskQueue: string;
  /** The key that encrypts its plan. */
  readonly keyId: string | undefined;
  /** Where its plan was applied from. */
  readonly source?: PipelineSource;
  readonly pausedSensors?: PausedSensors;
}

/** The Schedule of a pipeline. @param followUp the unfinished work of this update */
export function scheduleOptions(
  plan: Plan,
  { name, taskQueue, keyId, source, pausedSensors }: ScheduleOwner,
  followUp?: FollowUp,
): ScheduleOptions {
  const start = runStart(plan, 'scheduled', taskQueue);
  return {
    scheduleId: name,
    spec: plan.schedule === null ? {} : scheduleSpec(plan.schedule, Date.now()),
    action: {
      type: 'startWorkflow',
      workflowType: plan.dagId,
      workflowId: scheduledRunIdBase(name),
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
