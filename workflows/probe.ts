import { condition, setHandler } from '@temporalio/workflow';
import { PROBE_QUERY } from './plan/incidents/incident.ts';

/** Answers a query and does nothing else. Monitors use it to check that the task queue has workers. Queries add no history events. */
export async function SluiceProbe(): Promise<void> {
  setHandler(PROBE_QUERY, () => true);
  await condition(() => false);
}
