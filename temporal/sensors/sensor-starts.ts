import { type Client, WorkflowExecutionAlreadyStartedError, type WorkflowExecutionInfo, WorkflowNotFoundError } from '@temporalio/client';
import type { EndedRun, RunStarts, RunRequest } from '../../sensors/run/run-starts.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { dataIntervalAt, iso } from '../../workflows/plan/timetable/schedule.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { CLAIM_START, SENSOR_REPORT } from '../../workflows/plan/sensor.ts';
import { idBeginning } from '../../workflows/plan/values/bounded-id.ts';
import { dagIdOf, pipelineRunId, wholeRunId } from '../../workflows/plan/ids.ts';
import { ofDeployment } from '../names.ts';
import { explainRefusal } from '../refusals.ts';
import { readRunInput } from '../runs/run-input.ts';
import { runStart } from '../runs/run-start.ts';
import { summaryOf } from '../runs/runs.ts';

type NamedRun = Pick<RunRequest, 'name' | 'cause' | 'id'> & { readonly plan: Pick<Plan, 'dagId'> };

/** Temporal's default limit for ids, which older releases could use in full. */
const MAX_FORMER_BYTES = 1_000;

/** The memo entry of a run that contains the end of its event. */
const UP_TO = 'sluice_up_to';
/** The memo entry of a run that contains its trigger; absent in runs of older releases. */
const TRIGGER = 'sluice_trigger';

/** Number of newest runs that are checked. */
const RECENT = 50;

/** Time limit for a request, in milliseconds, so that a hanging request is retried. */
const WITHIN = 10_000;

/** If more starts than this are concurrent, none uses the eager start on this worker, which is busy enough. */
const HANDED_OVER = 10;

/**
 * The requests of sensors to Temporal.
 * @param here whether a worker of the queue shares the client's connection: runs then start eagerly on it instead of through the queue,
 * which halves the time from an event to its first task
 */
export function createSensorStarts(client: Client, taskQueue: string, here = false): Required<RunStarts> {
  let starting = 0;
  const own = ofDeployment(taskQueue);
  const within = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await client.withDeadline(Date.now() + WITHIN, ask);
    } catch (error) {
      throw explainRefusal(error);
    }
  };
  const wholeIdOf = ({ plan, name = plan.dagId, cause, id }: NamedRun): string => wholeRunId(name, cause, id);
  const idOf = ({ plan, name = plan.dagId, cause, id }: NamedRun): string => pipelineRunId(name, cause, id);
  return {
    idOf,

    async start({ former = [], trigger, params, event, interval: given, upTo, ...run }) {
      const { plan, cause, id } = run;
      const runId = idOf(run);
      const whole = wholeIdOf(run);
      const others = [
        ...former.map((each) => ({ runId: idOf({ ...run, id: each.id }), isOwn: each.isOwn })),
        // Releases before 2026-11-28 used ids up to Temporal's own limit.
        ...(whole !== runId && Buffer.byteLength(whole) <= MAX_FORMER_BYTES ? [{ runId: whole, isOwn: true }] : []),
      ];
      for (const each of others) if (await within(() => hasStarted(client, each.runId, each.isOwn ? trigger : undefined))) return 'known';
      const interval = given ?? dataIntervalAt(plan.schedule, Date.parse(event.meta.timestamp));
      const facts = runStart(plan, cause, taskQueue, { interval, params, event, detail: id });
      starting++;
      try {
        await within(() =>
          client.workflow.start(plan.dagId, {
            workflowId: runId,
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            requestEagerStart: here && starting <= HANDED_OVER,
            ...facts,
            memo: { ...facts.memo, ...(trigger !== undefined && { [TRIGGER]: trigger }), ...(upTo !== undefined && { [UP_TO]: upTo }) },
          }),
        );
        return 'started';
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return 'known';
        throw error;
      } finally {
        starting--;
      }
    },

    async upTo(run) {
      try {
        const { memo } = await within(() => client.workflow.getHandle(run).describe());
        const found = memo?.[UP_TO];
        return typeof found === 'string' ? found : undefined;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return undefined;
        throw error;
      }
    },

    async startedBy(run) {
      try {
        const { runId, parentExecution } = await within(() => client.workflow.getHandle(run).describe());
        const input = await within(() => readRunInput(client, { pipelineRunId: run, temporalRunId: runId }));
        if (!input) return undefined;
        const { cause, event, plan } = input;
        const connId = plan.triggers?.find(({ type }) => type === cause)?.source.conn_id;
        const parent = parentExecution?.workflowId;
        return {
          cause,
          ...(event && { event }),
          ...(typeof connId === 'string' && { connId }),
          ...(typeof parent === 'string' && parent !== '' && { parent }),
        };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return undefined;
        throw error;
      }
    },

    async recent(name, cause) {
      const { pipeline, cause: why } = SEARCH_ATTRIBUTES;
      const dagId = dagIdOf(name);
      const query = `${pipeline.name} = ${JSON.stringify(dagId)} AND ${why.name} = ${JSON.stringify(cause)}${own}`;
      const prefix = idOf({ plan: { dagId }, name, cause, id: '' });
      const found: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query, pageSize: RECENT })) {
        if (workflowId.startsWith(prefix)) found.push(workflowId.slice(prefix.length));
        if (found.length >= RECENT) break;
      }
      return found;
    },

    async hasAny(run) {
      const query = `WorkflowId STARTS_WITH ${JSON.stringify(idBeginning(wholeIdOf(run)))}`;
      return within(async () => !(await client.workflow.list({ query, pageSize: 1 })[Symbol.asyncIterator]().next()).done);
    },

    async ended(which, since) {
      const { pipeline, datasets } = SEARCH_ATTRIBUTES;
      const these =
        'dagId' in which
          ? `${pipeline.name} = ${JSON.stringify(which.dagId)}`
          : `(${which.datasets.map((uri) => `${datasets.name} = ${JSON.stringify(uri)}`).join(' OR ')})`;
      const found: EndedRun[] = [];
      for await (const info of client.workflow.list({ query: `${these} AND CloseTime >= "${since}"${own}` })) found.push(endedRunOf(info));
      return found.sort((a, b) => (a.endedAt < b.endedAt ? -1 : 1));
    },

    async open(dagId, cause) {
      const { pipeline, cause: why } = SEARCH_ATTRIBUTES;
      const query = `${pipeline.name} = ${JSON.stringify(dagId)} AND ${why.name} = ${JSON.stringify(cause)} AND ExecutionStatus = "Running"${own}`;
      const found: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query })) found.push(workflowId);
      return found;
    },

    async stillOpen(runs) {
      const open = await Promise.all(runs.map((run) => within(() => isOpen(client, run))));
      return runs.filter((_, index) => open[index]);
    },

    async report(sensorId, report) {
      await within(() => client.workflow.getHandle(sensorId).signal(SENSOR_REPORT, report));
    },

    async claim(sensorId, claim) {
      const quiet = await within(() => client.workflow.getHandle(sensorId).executeUpdate(CLAIM_START, { args: [claim] }));
      // A worker of an older release returns only the time.
      return typeof quiet === 'string' ? { until: quiet } : (quiet ?? undefined);
    },
  };
}

function endedRunOf(info: WorkflowExecutionInfo): EndedRun {
  const { pipelineRunId, dagId, state, cause, endedAt } = summaryOf(info);
  const attributes = info.typedSearchAttributes;
  const [start, end] = [attributes.get(SEARCH_ATTRIBUTES.interval), attributes.get(SEARCH_ATTRIBUTES.intervalEnd)];
  return {
    runId: pipelineRunId,
    dagId,
    state,
    cause,
    ...(start && end && { interval: { start: iso(start.getTime()), end: iso(end.getTime()) } }),
    endedAt: (endedAt ?? new Date(0)).toISOString(),
    datasets: attributes.get(SEARCH_ATTRIBUTES.datasets) ?? [],
  };
}

/** Whether this trigger started the run, or an older release that did not record triggers. */
async function hasStarted(client: Client, run: string, trigger: string | undefined): Promise<boolean> {
  try {
    const { memo } = await client.workflow.getHandle(run).describe();
    const by = memo?.[TRIGGER];
    // An unreadable entry, whose key is gone, does not name a trigger either.
    return typeof by !== 'string' || by === trigger;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

async function isOpen(client: Client, run: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(run).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
