import { continueAsNew, proxyActivities, setCurrentDetails, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import {
  type CheckCycleInput,
  type CheckCycleResult,
  MONITOR_EXPECTS,
  MONITOR_QUERY,
  type MonitorInput,
  type MonitorMemory,
} from './plan/incidents/incident.ts';
import { withReport } from './plan/incidents/project-reports.ts';

const { look } = proxyActivities<{ look(call: CheckCycleInput): Promise<CheckCycleResult> }>({
  startToCloseTimeout: '2 minutes',
  // Detects soon that a monitor died during an evaluation; the other monitor then repeats the evaluation.
  heartbeatTimeout: '6s',
  retry: { initialInterval: '1s', backoffCoefficient: 1.5, maximumInterval: '5s' },
});

/** Evaluates a deployment repeatedly. Uses the server's time, so wrong clocks on machines do not matter. */
export async function SluiceMonitor({ taskQueue, settings, memory = { open: {}, since: {} } }: MonitorInput): Promise<void> {
  let remembered: MonitorMemory = memory;
  setHandler(MONITOR_EXPECTS, (expected, broken, project) => {
    const report = { expected, ...(broken && { broken }), ...(project !== undefined && { project }) };
    remembered = { ...remembered, ...withReport(remembered, report, new Date().toISOString()) };
  });
  setHandler(MONITOR_QUERY, () => {
    const { completeAt, files } = remembered;
    return { ...(completeAt !== undefined && { completeAt }), ...(files && { files }) };
  });
  while (!workflowInfo().continueAsNewSuggested) {
    const began = Date.now();
    const seen = await look({ taskQueue, settings, memory: remembered, now: new Date(began).toISOString() });
    // A project may have been applied again in the meantime.
    const { expected, files, projects } = remembered;
    remembered = { ...seen.memory, ...(expected && { expected }), ...(files && { files }), ...(projects && { projects }) };
    setCurrentDetails(`Watches the pipelines of task queue ${taskQueue}\n\n\`\`\`text\n${seen.report.join('\n')}\n\`\`\``);
    await sleep(Math.max(settings.everyMs - (Date.now() - began), 100));
  }
  await continueAsNew<typeof SluiceMonitor>({ taskQueue, settings, memory: remembered });
}
