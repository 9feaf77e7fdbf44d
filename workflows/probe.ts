import { condition, setHandler } from '@temporalio/workflow';
import { PROBE_QUERY } from './plan/incidents/incident.ts';

/** Answers, and does nothing else: monitors ask it whether there are workers for its task queue. It costs no event. */
export async function SluiceProbe(): Promise<void> {
  setHandler(PROBE_QUERY, () => true);
  await condition(() => false);
}
