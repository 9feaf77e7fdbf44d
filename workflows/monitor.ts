import {
  continueAsNew,
  defineQuery,
  defineSignal,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type LookCall,
  type LookResult,
  MONITOR_EXPECTS,
  MONITOR_QUERY,
  type MonitorInput,
  type MonitorMemory,
  type MonitorState,
} from './plan/incident.ts';

const { look } = proxyActivities<{ look(call: LookCall): Promise<LookResult> }>({
  startToCloseTimeout: '2 minutes',
  // A monitor that dies in the middle of a look is found dead this soon; the other one looks again.
  heartbeatTimeout: '6s',
  retry: { initialInterval: '1s', backoffCoefficient: 1.5, maximumInterval: '5s' },
});

/** Looks at a deployment again and again. Its time is the server's, whatever the clocks of the machines say. */
export async function SluiceMonitor({ taskQueue, settings, memory = { open: {}, since: {} } }: MonitorInput): Promise<void> {
  let remembered: MonitorMemory = memory;
  setHandler(defineSignal<[readonly string[]]>(MONITOR_EXPECTS), (expected) => {
    remembered = { ...remembered, expected };
  });
  setHandler(defineQuery<MonitorState>(MONITOR_QUERY), () => {
    const { completeAt } = remembered;
    return completeAt === undefined ? {} : { completeAt };
  });
  while (!workflowInfo().continueAsNewSuggested) {
    const began = Date.now();
    const { expected: before } = remembered;
    const seen = await look({ taskQueue, settings, memory: remembered, now: new Date(began).toISOString() });
    const expected = remembered.expected === before ? seen.memory.expected : remembered.expected;
    remembered = { ...seen.memory, ...(expected && { expected }) };
    setCurrentDetails(`Watches the pipelines of task queue ${taskQueue}\n\n\`\`\`text\n${seen.report.join('\n')}\n\`\`\``);
    await sleep(Math.max(settings.everyMs - (Date.now() - began), 100));
  }
  await continueAsNew<typeof SluiceMonitor>({ taskQueue, settings, memory: remembered });
}
