import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { JsonObject } from '../workflows/plan/json.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import type { Cause } from '../workflows/plan/run.ts';
import { dataIntervalAt } from '../workflows/plan/schedule.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/plan/search-attributes.ts';
import { CLAIM_START, type RunEvent, SENSOR_REPORT, type SensorReport, type StartClaim } from '../workflows/plan/trigger.ts';
import { pipelineRunId } from './names.ts';
import { runStart } from './run-start.ts';

interface WantedRun {
  readonly plan: Plan;
  readonly cause: string;
  readonly id: string;
  readonly params: JsonObject;
  readonly event: RunEvent;
}

/** How long a request may take, in milliseconds: one that hangs is asked again. */
const WITHIN = 10_000;

/** What sensors ask of Temporal (`RunStarts` in sensors/run-starts.ts). */
export function createSensorStarts(client: Client, taskQueue: string) {
  const within = <T>(ask: () => Promise<T>): Promise<T> => client.withDeadline(Date.now() + WITHIN, ask);
  const idOf = ({ plan, cause, id }: Pick<WantedRun, 'plan' | 'cause' | 'id'>): string =>
    pipelineRunId(plan.dagId, cause as Exclude<Cause, 'scheduled'>, id);
  return {
    idOf,

    async start({ plan, cause, id, params, event }: WantedRun): Promise<'started' | 'known'> {
      const interval = dataIntervalAt(plan.schedule, Date.parse(event.meta.timestamp));
      try {
        await within(() =>
          client.workflow.start(plan.dagId, {
            workflowId: idOf({ plan, cause, id }),
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            ...runStart(plan, cause as Cause, taskQueue, { interval, params, event, detail: id }),
          }),
        );
        return 'started';
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return 'known';
        throw error;
      }
    },

    async open(dagId: string, cause: string): Promise<string[]> {
      const { pipeline, cause: why } = SEARCH_ATTRIBUTES;
      const query = `${pipeline.name} = ${JSON.stringify(dagId)} AND ${why.name} = ${JSON.stringify(cause)} AND ExecutionStatus = "Running"`;
      const found: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query })) found.push(workflowId);
      return found;
    },

    async stillOpen(runs: readonly string[]): Promise<string[]> {
      const open = await Promise.all(runs.map((run) => within(() => isOpen(client, run))));
      return runs.filter((_, index) => open[index]);
    },

    async report(sensorId: string, report: SensorReport): Promise<void> {
      await within(() => client.workflow.getHandle(sensorId).signal(SENSOR_REPORT, report));
    },

    async claim(sensorId: string, claim: StartClaim): Promise<string | undefined> {
      const until = await within(() =>
        client.workflow.getHandle(sensorId).executeUpdate<string | null, [StartClaim]>(CLAIM_START, { args: [claim] }),
      );
      return until ?? undefined;
    },
  };
}

async function isOpen(client: Client, run: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(run).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
