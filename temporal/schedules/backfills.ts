import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import {
  BACKFILL_QUERY,
  BACKFILL_WORKFLOW,
  type BackfillInput,
  type BackfillReport,
  MAX_INTERVALS,
  PAUSE_BACKFILL,
  RESUME_BACKFILL,
} from '../../workflows/plan/runs/backfill.ts';
import type { OperatorRequest } from '../../workflows/plan/runs/decision.ts';
import { type Choice, chooseIntervals, type Reprocess } from '../../workflows/plan/timetable/interval-coverage.ts';
import { intervalsBetween } from '../../workflows/plan/timetable/intervals.ts';
import { withDrawing } from '../../graph/with-drawing.ts';
import { backfillId, nameIn, type PipelineName } from '../../workflows/plan/ids.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { type DataInterval, iso } from '../../workflows/plan/timetable/schedule.ts';
import { answerIfAny } from '../answer.ts';
import { sendUpdate } from '../runs/decisions.ts';
import { intervalRuns } from '../runs/intervals.ts';
import { expiryOf } from '../retention.ts';
import { ofDeployment } from '../names.ts';
import { NotYet, RunNotFound, type RunReference } from '../runs/runs.ts';

/** Thrown for an invalid backfill request; the message says why. */
export class BackfillRefused extends Error {
  override readonly name = 'BackfillRefused';
}

/** A backfill request. Times in milliseconds. */
export interface BackfillOrder {
  readonly plan: Plan;
  readonly from: number;
  readonly to: number;
  readonly reprocess: Reprocess;
  readonly maxActive: number;
  readonly reverse: boolean;
  /** Of the pipeline; absent: its dag_id. */
  readonly name?: PipelineName;
}

/** Number of concurrent runs of a backfill: one if a task depends on its previous run, since other runs could only wait. */
export function activeRunsOf({ plan, maxActive }: Pick<BackfillOrder, 'plan' | 'maxActive'>): number {
  return plan.tasks.some(({ dependsOnPast }) => dependsOnPast) ? 1 : maxActive;
}

/** The intervals of a backfill, oldest first. @throws BackfillRefused */
function intervalsOf({ plan, from, to, reverse }: BackfillOrder, now: number): DataInterval[] {
  const dependent = plan.tasks.find(({ dependsOnPast }) => dependsOnPast);
  if (dependent && reverse) {
    throw new BackfillRefused(
      `Task '${dependent.name}' of '${plan.dagId}' has \`depends_on_past\`: its intervals run oldest first. Leave \`--reverse\` out.`,
    );
  }
  if (!plan.schedule) throw new BackfillRefused(`'${plan.dagId}' has no schedule, and so no intervals. Use \`sluice run ${plan.dagId}\`.`);
  const intervals = intervalsBetween(plan.schedule, { from, to, now, limit: MAX_INTERVALS + 1 });
  if (intervals.length > MAX_INTERVALS)
    throw new BackfillRefused(`That is more than ${MAX_INTERVALS.toLocaleString('en')} intervals. Choose a shorter range.`);
  return intervals;
}

/**
 * Shows what a backfill would do with each interval if it started now.
 * @param taskQueue of the deployment whose runs count; absent: of all
 * @throws BackfillRefused
 */
export async function previewBackfill(client: Client, order: BackfillOrder, taskQueue?: string): Promise<Choice[]> {
  const { plan, reprocess, reverse, name = plan.dagId } = order;
  const intervals = intervalsOf(order, Date.now());
  const first = intervals[0];
  if (!first) return [];
  const runs = await intervalRuns(client, plan, first.start, intervals.at(-1)?.end ?? first.end, taskQueue);
  const choices = chooseIntervals(intervals, runs, reprocess, await expiryOf(client, name, Date.now()));
  return reverse ? choices.reverse() : choices;
}

/**
 * Starts a backfill as a separate workflow.
 * @returns the id of the workflow
 * @throws BackfillRefused when a backfill of this range is active, NotYet
 */
export async function startBackfill(client: Client, taskQueue: string, order: BackfillOrder): Promise<RunReference> {
  const { plan, from, to, reprocess, reverse, name = plan.dagId } = order;
  NotYet.refuse(plan);
  const now = Date.now();
  const total = intervalsOf(order, now).length;
  const expiredBefore = await expiryOf(client, name, now);
  const input: BackfillInput = {
    reprocess,
    reverse,
    plan: withDrawing(plan),
    maxActive: activeRunsOf(order),
    from: iso(from),
    to: iso(to),
    until: iso(now),
    total,
    wholeIntervals: true,
    ...(expiredBefore !== undefined && { expiredBefore }),
  };
  const workflowId = backfillId(await nameForRuns(client, taskQueue, order), input.from, input.to);
  try {
    const { firstExecutionRunId } = await client.workflow.start(BACKFILL_WORKFLOW, {
      workflowId,
      taskQueue,
      args: [input],
      staticSummary: `${plan.dagId}: ${input.from} – ${input.to}`,
    });
    return { pipelineRunId: workflowId, temporalRunId: firstExecutionRunId };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      throw new BackfillRefused(`A backfill of this range is running: ${workflowId}. \`sluice backfill ${plan.dagId} status\` shows it.`);
    }
    throw error;
  }
}

/** The name for the ids of a backfill and its runs: with the deployment, if one that had the name before has left such runs. */
async function nameForRuns(client: Client, taskQueue: string, { plan, from, to, name = plan.dagId }: BackfillOrder): Promise<PipelineName> {
  const { interval } = SEARCH_ATTRIBUTES;
  // One second of margin on both sides: the dev server compares times as text in another format.
  const within = `${interval.name} >= ${JSON.stringify(iso(from - 1000))} AND ${interval.name} <= ${JSON.stringify(iso(to + 1000))}`;
  const backfill = `WorkflowId = ${JSON.stringify(backfillId(name, iso(from), iso(to)))}`;
  const runs = `WorkflowId STARTS_WITH ${JSON.stringify(`${name}/backfill/`)} AND ${within}`;
  const query = `(${backfill} OR (${runs})) AND TaskQueue != ${JSON.stringify(taskQueue)}`;
  const others = client.workflow.list({ query, pageSize: 1 })[Symbol.asyncIterator]();
  return (await others.next()).done === true ? name : nameIn(taskQueue, plan.dagId);
}

/** A backfill and its progress. */
export interface BackfillState {
  readonly workflowId: string;
  /** Absent if no worker answers. */
  readonly report?: BackfillReport;
}

/** Lists the active backfills of a deployment. @param taskQueue absent: of all deployments */
export async function listBackfills(client: Client, taskQueue?: string): Promise<BackfillState[]> {
  const found: Promise<BackfillState>[] = [];
  for await (const { workflowId } of client.workflow.list({
    query: `WorkflowType = "${BACKFILL_WORKFLOW}" AND ExecutionStatus = "Running"${ofDeployment(taskQueue)}`,
  })) {
    const handle = client.workflow.getHandle(workflowId);
    const asked = answerIfAny(client, workflowId, () => handle.query(BACKFILL_QUERY));
    found.push(asked.then((report) => ({ workflowId, ...(report && { report }) })));
  }
  return Promise.all(found);
}

/** Pauses or resumes starting further runs. @returns the backfill's answer */
export function pauseBackfill(client: Client, workflowId: string, request: OperatorRequest): Promise<string> {
  return sendUpdate(client, workflowId, PAUSE_BACKFILL, request);
}

export function resumeBackfill(client: Client, workflowId: string, request: OperatorRequest): Promise<string> {
  return sendUpdate(client, workflowId, RESUME_BACKFILL, request);
}

/** Cancels a backfill and the runs that it has started. @returns what was requested @throws RunNotFound */
export async function cancelBackfill(client: Client, workflowId: string): Promise<string> {
  try {
    await client.workflow.getHandle(workflowId).cancel();
  } catch (error) {
    throw error instanceof WorkflowNotFoundError ? new RunNotFound(workflowId) : error;
  }
  return 'cancelling it and the runs that it has started';
}
