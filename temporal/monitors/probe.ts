import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { PROBE_QUERY, probeId } from '../../workflows/plan/incidents/incident.ts';
import { ensureProbe } from './ensure-monitor.ts';

/** Time limit for workers to answer, in milliseconds; a running worker answers within a few. */
const ANSWER_WITHIN_MS = 4_000;

/** Checks whether a worker of the task queue answers: queries the probe of the deployment, and starts it if it does not run. */
export async function askWorkers(client: Client, taskQueue: string): Promise<boolean> {
  const ask = (): Promise<boolean> =>
    client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () => client.workflow.getHandle(probeId(taskQueue)).query(PROBE_QUERY));
  try {
    return await ask().catch(async (error: unknown) => {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      await ensureProbe(client, taskQueue);
      return ask();
    });
  } catch {
    // The cause may be the workers or the server. If it is the server, later calls fail and report it.
    return false;
  }
}
