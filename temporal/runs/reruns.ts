import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { allTasks, type Plan } from '../../workflows/plan/plan.ts';
import { chooseReruns, keptOf, type RerunChoice } from '../../workflows/plan/runs/rerun.ts';
import type { TaskResult } from '../../workflows/plan/runs/run.ts';
import { type DataInterval, dataIntervalAt, iso } from '../../workflows/plan/timetable/schedule.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import { showRun } from './follow-run.ts';
import { pipelineRunId, siblingName } from '../../workflows/plan/ids.ts';
import { describeRun, NotYet, RunExists, type RunReference } from './runs.ts';
import { runStart } from './run-start.ts';

/** Thrown when a run cannot be repeated as requested; the message says why. */
export class RerunRefused extends Error {
  override readonly name = 'RerunRefused';
}

/** An ended run with the facts that a rerun needs. */
export interface EndedRun extends RunReference {
  readonly plan: Plan;
  readonly interval: DataInterval;
  readonly params: JsonObject;
  readonly event?: RunEvent;
  /** The first run in the chain of reruns; absent if this run is not a rerun. */
  readonly original?: string;
  readonly tasks: Readonly<Record<string, TaskResult>>;
}

/** @throws RunNotFound, RerunRefused while the run is active */
export async function readEndedRun(client: Client, runId: string): Promise<EndedRun> {
  const run = await describeRun(client, { pipelineRunId: runId });
  if (run.endedAt === undefined)
    throw new RerunRefused(`${runId} is still running. \`sluice retry\` retries one of its tasks; \`sluice cancel\` cancels it.`);
  const { instances } = await showRun(client, run);
  const { input, result } = instances;
  if (!input) throw new RerunRefused(`${runId} was not started by Sluice.`);
  // A terminated or cancelled run does not report the final states of its tasks; its history contains them.
  const shown = Object.fromEntries(
    instances
      .all()
      .map(({ task, state, output, note }): [string, TaskResult] => [
        task,
        { state, ...(output !== undefined && { output }), ...(note !== undefined && { note }) },
      ]),
  );
  const start = run.interval === undefined ? undefined : Date.parse(run.interval);
  const interval = result?.interval ?? input.interval ?? dataIntervalAt(input.plan.schedule, start ?? run.startedAt.getTime());
  return {
    ...run,
    plan: input.plan,
    interval,
    params: input.params ?? {},
    ...(input.event && { event: input.event }),
    ...(input.rerunOf && { original: input.rerunOf.original ?? input.rerunOf.pipelineRunId }),
    tasks: { ...input.rerunOf?.kept, ...(result?.tasks ?? shown) },
  };
}

/** Which run to repeat, and how. */
export interface RerunOrder {
  readonly run: EndedRun;
  /** The run's own plan, or a newer one. */
  readonly plan: Plan;
  readonly params: JsonObject;
  /** The task to run again, although it succeeded. */
  readonly from?: string;
  /** Who requests the rerun. */
  readonly by?: string;
}

/** Determines what a rerun does with each task. @throws RerunRefused when no task would run again */
export function previewRerun({ run, plan, from }: RerunOrder): RerunChoice[] {
  const names = plan.tasks.map(({ name }) => name);
  if (from !== undefined && !names.includes(from))
    throw new RerunRefused(`'${plan.dagId}' has no task '${from}'; it has: ${names.join(', ')}.`);
  const choices = chooseReruns(plan, run.tasks, from);
  const after = allTasks(plan).length - plan.tasks.length;
  if (choices.filter(({ runs }) => runs).length === after)
    throw new RerunRefused(`Every task of ${run.pipelineRunId} has succeeded. \`--from TASK\` says where to begin.`);
  return choices;
}

/** Starts the rerun as a separate run that refers to the original one. @throws NotYet, RerunRefused, RunExists */
export async function startRerun(client: Client, taskQueue: string, order: RerunOrder, now: number): Promise<RunReference> {
  const { run, plan, params, from, by } = order;
  NotYet.refuse(plan);
  const kept = keptOf(plan, previewRerun(order), run.tasks, from);
  const workflowId = pipelineRunId(siblingName(run.pipelineRunId, plan.dagId), 'rerun', iso(now));
  const { pipelineRunId: repeated, temporalRunId, original = repeated } = run;
  const rerunOf = { pipelineRunId: repeated, temporalRunId, original, kept };
  try {
    const { firstExecutionRunId } = await client.workflow.start(plan.dagId, {
      workflowId,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      ...runStart(plan, 'rerun', taskQueue, {
        ...(by !== undefined && { by }),
        interval: run.interval,
        params,
        ...(run.event && { event: run.event }),
        rerunOf,
        detail: `of ${run.pipelineRunId}`,
      }),
    });
    return { pipelineRunId: workflowId, temporalRunId: firstExecutionRunId };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) throw new RunExists(workflowId);
    throw error;
  }
}
