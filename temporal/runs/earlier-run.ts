import { ApplicationFailure, type Client } from '@temporalio/client';
import type { EarlierRun, EarlierRunQuestion } from '../../workflows/plan/runs/earlier-run.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import { describeRun, RunNotFound } from './runs.ts';

/** The activities of runs whose children exist already. */
export function createEarlierRunActivities(client: Client) {
  return {
    /**
     * Fails, and so is retried, until the run has ended that the same execution of the parent started.
     * @throws ApplicationFailure `EarlierRunActive` if another execution of the parent started it, and it is running
     */
    async earlier_run({ workflowId, since, wait }: EarlierRunQuestion): Promise<EarlierRun> {
      const run = await describeRun(client, { pipelineRunId: workflowId }).catch((error: unknown) => {
        if (error instanceof RunNotFound) return undefined;
        throw error;
      });
      if (!run) return { kind: 'replaceable' };
      // Executions with one workflow id follow each other, so an earlier one cannot have started a run after this one started.
      const isOwn = run.startedAt.getTime() >= Date.parse(since);
      if (run.endedAt === undefined) {
        if (!isOwn) throw ApplicationFailure.nonRetryable(`${workflowId} is still running: an earlier run started it.`, 'EarlierRunActive');
        if (!wait) return { kind: 'own' };
        throw ApplicationFailure.retryable(`${workflowId} has not ended.`, 'NotYet');
      }
      if (!isOwn || run.state !== 'success') return { kind: 'replaceable' };
      return { kind: 'own', result: (await client.workflow.getHandle(workflowId, run.temporalRunId).result()) as Json };
    },
  };
}
