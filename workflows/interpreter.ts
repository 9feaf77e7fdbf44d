import { ApplicationFailure, defineSearchAttributeKey, type SearchAttributeUpdatePair } from '@temporalio/common';
import {
  CancelledFailure,
  isCancellation,
  patched,
  scheduleLocalActivity,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { runDeadline } from './plan/timetable/deadlines.ts';
import { formatDuration } from './plan/values/duration.ts';
import type { Evaluator } from './plan/expressions/evaluator.ts';
import { runValues } from './plan/expressions/run-names.ts';
import { dataVariant } from './plan/runs/data-variant.ts';
import type { Json, JsonObject } from './plan/values/json.ts';
import { type Plan, PLAN_FORMAT } from './plan/plan.ts';
import { failedItems, isOfTimetable, PARTIAL, type RunInput, type RunResult } from './plan/runs/run.ts';
import { resolveRunParams } from './plan/runs/run-params.ts';
import { dataIntervalAt, type DataInterval, iso } from './plan/timetable/schedule.ts';
import { FORMER_VALUE_FORMATS } from './plan/values/value-schema.ts';
import { SEARCH_ATTRIBUTES } from './plan/runs/search-attributes.ts';
import type { RunIdentity } from './plan/tasks/task-input.ts';
import type { RunEvent } from './plan/trigger.ts';
import { PipelineRun, type RunEnd } from './run/pipeline-run.ts';
import { acceptDecisions } from './run-handlers.ts';
import { TemporalHost } from './temporal-host.ts';

/** Set by Temporal on runs that a Schedule starts: the tick, without jitter. */
const TICK = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

/**
 * The workflow of every pipeline. Registered as the default workflow, so that the workflow type in Temporal is the `dag_id`.
 * @throws ApplicationFailure `PlanFormatUnknown` when a newer Sluice made the plan, `InvalidParams` when the pipeline refuses the
 *   parameters of the run, `PipelineFailed` or `DagrunTimeout` with a RunResult as details
 * @throws CancelledFailure when the run was cancelled
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
  // Runs of the first releases have a state attribute from start to end, and no deadline.
  const hasStateFromStart = workflowInfo().typedSearchAttributes.get(SEARCH_ATTRIBUTES.state) !== undefined;
  const first = [...(input.interval ? [] : intervalAttributes(interval)), ...(hasStateFromStart ? [] : deadlineAttribute(input, interval))];
  if (first.length > 0) upsertSearchAttributes(first);
  const host = new TemporalHost(input.heldByCallers);
  let state: RunResult['state'] = 'failed';
  let isPartial = false;
  try {
    const end = await run(input, interval, host);
    ({ state } = end.result);
    isPartial = state === 'success' && failedItems(end.result.tasks) > 0;
    return conclude(end, host);
  } catch (error) {
    if (isCancellation(error)) state = 'canceled';
    throw error;
  } finally {
    const last = lastAttributes(state, input.plan, hasStateFromStart, isPartial, host);
    if (last.length > 0) upsertSearchAttributes(last);
  }
}

async function run(input: RunInput, interval: DataInterval, host: TemporalHost): Promise<RunEnd> {
  const { plan, cause, params: given, event, rerunOf } = input;
  const { params, mistakes } = resolveRunParams(plan, given ?? {});
  if (mistakes.length > 0 && !wereTaken(plan, given ?? {}))
    throw ApplicationFailure.nonRetryable(`The run's parameters do not fit: ${mistakes.join(' ')}`, 'InvalidParams');
  const { workflowId } = workflowInfo();
  const evaluator = plan.shapes && (await loadEvaluator(plan));
  const values: Record<string, Json> = evaluator
    ? { ...runValues(plan, workflowId, interval), ...(await connectionFields(plan)), ...(event && eventValues(event)) }
    : {};
  const pipelineRun = new PipelineRun(
    plan,
    {
      pipelineRunId: workflowId,
      interval,
      params,
      values,
      isBackfill: cause === 'backfill',
      isOfTimetable: isOfTimetable(input),
      identity: identityOf(input, params),
      ...(rerunOf && { kept: rerunOf.kept }),
    },
    host,
    evaluator,
  );
  acceptDecisions(pipelineRun);
  if (cause === 'scheduled') await waitOutStartDelay(plan, host, pipelineRun);
  return pipelineRun.complete();
}

/** Whether the run started under an earlier release, which read 30 February as 1 March, and these parameters were valid there. */
function wereTaken(plan: Plan, given: JsonObject): boolean {
  return resolveRunParams(plan, given, FORMER_VALUE_FORMATS).mistakes.length === 0 && !patched('days-exist');
}

function identityOf(input: RunInput, params: JsonObject): RunIdentity {
  const { workflowId, firstExecutionRunId, startTime } = workflowInfo();
  const variant = dataVariant(input, params, workflowId);
  return {
    pipelineRunId: workflowId,
    dagId: input.plan.dagId,
    execution: firstExecutionRunId,
    startedAt: startTime.toISOString(),
    ...(variant && { variant }),
  };
}

function eventValues({ value, meta }: RunEvent): Record<string, Json> {
  return { event: value, event_meta: meta };
}

/** Waits until `start_delay` after the tick. Ticks that are backfilled or late do not wait. */
async function waitOutStartDelay({ schedule }: Plan, host: TemporalHost, { operations }: PipelineRun): Promise<void> {
  const tick = workflowInfo().typedSearchAttributes.get(TICK);
  if (!tick || schedule?.startDelayMs === undefined) return;
  const ms = tick.getTime() + schedule.startDelayMs - workflowInfo().startTime.getTime();
  if (ms <= 0) return;
  const summary = `start_delay: ${formatDuration(schedule.startDelayMs)} after ${iso(tick.getTime())}`;
  operations.waitsForTurn(true);
  host.show(() => `queued: ${summary}`);
  await sleep(ms, { summary });
  operations.waitsForTurn(false);
}

/** Loads the evaluator only for plans with expressions: it is the largest part of the bundle. */
async function loadEvaluator(plan: Plan): Promise<Evaluator> {
  const { Evaluator } = await import('./plan/expressions/evaluator.ts');
  return new Evaluator(plan.shapes, plan.dateZone);
}

/** Reads the connection fields that expressions use from a worker. The history stores them, so they do not change during the run. */
async function connectionFields({ connections }: Plan): Promise<Record<string, Json>> {
  if (!connections) return {};
  const conn = await scheduleLocalActivity<Json>('connection_fields', [connections], {
    startToCloseTimeout: '30s',
    retry: { maximumAttempts: 3 },
  });
  return { conn };
}

function conclude({ result, failure }: RunEnd, host: TemporalHost): RunResult {
  // A run rejected by its concurrency limit was not cancelled by a person, so in Temporal it completes normally.
  if (result.state === 'canceled' && host.canceled) throw new CancelledFailure('The run was cancelled');
  if (!failure) return result;
  const { type, message, origin } = failure;
  throw ApplicationFailure.create({
    type,
    message,
    nonRetryable: true,
    details: [result],
    ...(origin instanceof Error && { cause: origin }),
  });
}

function intervalAttributes({ start, end }: DataInterval): SearchAttributeUpdatePair[] {
  return [
    { key: SEARCH_ATTRIBUTES.interval, value: new Date(start) },
    { key: SEARCH_ATTRIBUTES.intervalEnd, value: new Date(end) },
  ];
}

function deadlineAttribute({ plan, cause }: RunInput, interval: DataInterval): SearchAttributeUpdatePair[] {
  const began = workflowInfo().startTime.getTime();
  const deadline = runDeadline(plan, cause, { interval, queuedAt: began, startedAt: began });
  return deadline === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.deadline, value: `${new Date(deadline).toISOString().slice(0, 19)}Z` }];
}

/** Search attributes to set when a run ends. Most runs need none, because Temporal's own status shows how they ended. */
function lastAttributes(
  state: RunResult['state'],
  { outlets }: Plan,
  inWords: boolean,
  isPartial: boolean,
  host: TemporalHost,
): SearchAttributeUpdatePair[] {
  const said = workflowInfo().typedSearchAttributes.get(SEARCH_ATTRIBUTES.state) ?? null;
  // Runs that ended under earlier releases have no `partial` state.
  const own = isPartial && patched('partial-is-shown') ? PARTIAL : inWords || (state === 'canceled' && !host.canceled) ? state : null;
  return [
    ...(own === said ? [] : [{ key: SEARCH_ATTRIBUTES.state, value: own }]),
    ...(state === 'success' && outlets ? [{ key: SEARCH_ATTRIBUTES.datasets, value: [...outlets] }] : []),
  ];
}

function intervalOfTick({ plan }: RunInput): DataInterval {
  const { typedSearchAttributes, startTime } = workflowInfo();
  return dataIntervalAt(plan.schedule, (typedSearchAttributes.get(TICK) ?? startTime).getTime());
}
