import { withinPipeline } from '../ids.ts';

/** The key of the problem that a task of a run waits for people. An SLA cannot have such a name. */
export function waitKey(dagId: string, task: string, pipelineRunId: string): string {
  return `${dagId}/waits:${task}/${withinPipeline(pipelineRunId)}`;
}

/** Whether `waitKey` made the key of a problem. */
export function isWaitKey(key: string): boolean {
  return key.split('/', 2)[1]?.startsWith('waits:') ?? false;
}
