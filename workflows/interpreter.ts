import { ApplicationFailure, defineSearchAttributeKey } from '@temporalio/common';
import { isCancellation, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { PipelineRun } from './pipeline-run.ts';
import { PLAN_FORMAT } from './plan/plan.ts';
import type { RunInput, RunResult } from './plan/run.ts';
import { dataIntervalAt, type DataInterval } from './plan/schedule.ts';
import { SEARCH_ATTRIBUTES } from './plan/search-attributes.ts';

const INTERVAL = defineSearchAttributeKey(SEARCH_ATTRIBUTES.interval.name, SEARCH_ATTRIBUTES.interval.type);
const STATE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.state.name, SEARCH_ATTRIBUTES.state.type);
/** Set by Temporal on what a Schedule starts: the tick, without jitter. */
const TICK = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

/**
 * The workflow of every pipeline: registered as the default workflow, so that the workflow type in Temporal is the `dag_id`.
 * @throws ApplicationFailure `PlanFormatUnknown` when the plan was made by a newer Sluice; else as PipelineRun.complete
 */
export async function interpreter(input: RunInput): Promise<RunResult> {
  const format: number = input.plan.format;
  if (format !== PLAN_FORMAT) {
    throw ApplicationFailure.nonRetryable(
      `This run's plan has format ${format}; this worker reads format ${PLAN_FORMAT}. Update the workers, then start the run again.`,
      'PlanFormatUnknown',
    );
  }
  const interval = input.interval ?? intervalOfTick(input);
  if (!input.interval) upsertSearchAttributes([{ key: INTERVAL, value: new Date(interval.start) }]);
  let state = 'failed';
  try {
    const result = await new PipelineRun(input.plan, interval).complete();
    state = result.state;
    return result;
  } catch (error) {
    if (isCancellation(error)) state = 'canceled';
    throw error;
  } finally {
    upsertSearchAttributes([{ key: STATE, value: state }]);
  }
}

function intervalOfTick({ plan }: RunInput): DataInterval {
  const { typedSearchAttributes, startTime } = workflowInfo();
  return dataIntervalAt(plan.schedule, (typedSearchAttributes.get(TICK) ?? startTime).getTime());
}
