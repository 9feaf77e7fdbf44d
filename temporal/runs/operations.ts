import { type Client, ScheduleNotFoundError, WorkflowNotFoundError } from '@temporalio/client';
import {
  CANCEL_WORD,
  type OperatorWord,
  PAUSED_BY,
  type RunOperation,
  type TaskOperation,
  type TaskWord,
} from '../../workflows/plan/runs/decision.ts';
import { sendUpdate } from './decisions.ts';
import { explainRefusal } from './runs.ts';
import { NotScheduled } from '../schedules/schedule-facts.ts';

/** Pauses a run, or lets it go on. @returns the run's answer @throws RunNotFound, DecisionRefused, NoAnswer */
export function operateRun(client: Client, pipelineRunId: string, operation: RunOperation, word: OperatorWord): Promise<string> {
  return sendUpdate(client, pipelineRunId, operation, word);
}

/** Does something to one task of a run. @returns the run's answer @throws RunNotFound, DecisionRefused, NoAnswer */
export function operateTask(client: Client, pipelineRunId: string, operation: TaskOperation, word: TaskWord): Promise<string> {
  return sendUpdate(client, pipelineRunId, operation, word);
}

/** Cancels a run, and leaves who and why in it. @returns what was asked for @throws RunNotFound, RunEnded */
export async function cancelRun(client: Client, pipelineRunId: string, word: OperatorWord): Promise<string> {
  const handle = client.workflow.getHandle(pipelineRunId);
  try {
    await handle.signal(CANCEL_WORD, word);
    await handle.cancel();
  } catch (error) {
    throw error instanceof WorkflowNotFoundError ? await explainRefusal(client, pipelineRunId) : error;
  }
  return `${pipelineRunId} is asked to end: running tasks are cancelled, \`finally\` runs`;
}

/** Pauses the schedule of a pipeline, or lets it go on; runs that have begun are not touched. @throws NotScheduled */
export async function operatePipeline(
  client: Client,
  dagId: string,
  operation: RunOperation,
  { by, reason }: OperatorWord,
): Promise<string> {
  const handle = client.schedule.getHandle(dagId);
  const note = `${operation === 'pause' ? PAUSED_BY : 'unpaused by '}${by}${reason === undefined ? '' : `: ${reason}`}`;
  try {
    await (operation === 'pause' ? handle.pause(note) : handle.unpause(note));
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) throw NotScheduled.of(dagId);
    throw error;
  }
  return `${dagId} ${note}`;
}
