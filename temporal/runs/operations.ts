import { type Client, ScheduleNotFoundError, WorkflowNotFoundError } from '@temporalio/client';
import {
  CANCEL_REQUEST,
  type OperatorRequest,
  PAUSED_BY,
  RUN_UPDATES,
  type RunOperation,
  TASK_UPDATES,
  type TaskOperation,
  type TaskRequest,
} from '../../workflows/plan/runs/decision.ts';
import { dagIdOf, type PipelineName } from '../../workflows/plan/ids.ts';
import { sendUpdate } from './decisions.ts';
import { explainRefusal } from './runs.ts';
import { NotScheduled } from '../schedules/schedule-facts.ts';

/** Pauses or resumes a run. @returns the run's answer @throws RunNotFound, DecisionRefused, NoAnswer */
export function operateRun(client: Client, pipelineRunId: string, operation: RunOperation, request: OperatorRequest): Promise<string> {
  return sendUpdate(client, pipelineRunId, RUN_UPDATES[operation], request);
}

/** Skips, retries or marks one task of a run. @returns the run's answer @throws RunNotFound, DecisionRefused, NoAnswer */
export function operateTask(client: Client, pipelineRunId: string, operation: TaskOperation, request: TaskRequest): Promise<string> {
  return sendUpdate(client, pipelineRunId, TASK_UPDATES[operation], request);
}

/** Cancels a run, and records by whom and why. @returns what was requested @throws RunNotFound, RunEnded */
export async function cancelRun(client: Client, pipelineRunId: string, request: OperatorRequest): Promise<string> {
  const handle = client.workflow.getHandle(pipelineRunId);
  try {
    await handle.signal(CANCEL_REQUEST, request);
    await handle.cancel();
  } catch (error) {
    throw error instanceof WorkflowNotFoundError ? await explainRefusal(client, pipelineRunId) : error;
  }
  return `Cancelling ${pipelineRunId}: running tasks are cancelled, then \`finally\` tasks run`;
}

/** Pauses or resumes the schedule of a pipeline; running runs are not affected. @throws NotScheduled */
export async function operatePipeline(
  client: Client,
  name: PipelineName,
  operation: RunOperation,
  { by, reason }: OperatorRequest,
): Promise<string> {
  const handle = client.schedule.getHandle(name);
  const note = `${operation === 'pause' ? PAUSED_BY : 'resumed by '}${by}${reason === undefined ? '' : `: ${reason}`}`;
  try {
    await (operation === 'pause' ? handle.pause(note) : handle.unpause(note));
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) throw NotScheduled.of(name);
    throw error;
  }
  return `${dagIdOf(name)} ${note}`;
}
