import { type Client, WorkflowExecutionAlreadyStartedError, type WorkflowExecutionInfo, WorkflowNotFoundError } from '@temporalio/client';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { isUnderWay, PARTIAL } from '../../workflows/plan/runs/run.ts';
import { refusal } from '../../workflows/plan/not-yet.ts';
import { type DataInterval, iso } from '../../workflows/plan/timetable/schedule.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { WAITS_MEMO } from '../../workflows/plan/tasks/wait-text.ts';
import { nameIn, type PipelineName, pipelineRunId } from '../../workflows/plan/ids.ts';
import { ofDeployment } from '../names.ts';
import { pipelineName } from '../schedules/pipeline-name.ts';
import { runStart } from './run-start.ts';

/** Thrown when a run of the same cause exists; the server rejects a second one. */
export class RunExists extends Error {
  override readonly name = 'RunExists';
  constructor(readonly pipelineRunId: string) {
    super(
      `Run '${pipelineRunId}' exists already: one cause, one run. See it with \`sluice show ${pipelineRunId}\`, or start another with \`--id <another id>\`.`,
    );
  }
}

/** Workflows other than runs that users look up by id: the prefix of their ids, and the command that lists them. */
const KINDS = [
  { prefix: 'incident/', noun: 'incident', list: 'sluice incidents list --all' },
  { prefix: 'sensor/', noun: 'sensor', list: 'sluice sensors' },
];

/** Runs that wait for people, in Temporal's query language. */
export const WAITING_RUNS = `ExecutionStatus = "Running" AND ${SEARCH_ATTRIBUTES.state.name} IN ("approval", "held")`;

/** Thrown when the run, or other workflow, does not exist. */
export class RunNotFound extends Error {
  override readonly name = 'RunNotFound';
  constructor(workflowId: string) {
    const kind = KINDS.find(({ prefix }) => workflowId.startsWith(prefix)) ?? { prefix: '', noun: 'run', list: 'sluice runs' };
    super(`There is no ${kind.noun} '${workflowId.slice(kind.prefix.length)}'. \`${kind.list}\` lists them.`);
  }
}

/** Thrown when a plan uses language features that this release does not support. */
export class NotYet extends Error {
  override readonly name = 'NotYet';
  /** @throws NotYet when this release does not support all of `plan` */
  static refuse(plan: Plan): void {
    const reason = refusal(plan);
    if (reason !== undefined) throw new NotYet(`'${plan.dagId}' is not applied, ${reason}`);
  }
}

/** Thrown when a run has ended and so rejects requests. */
export class RunEnded extends Error {
  override readonly name = 'RunEnded';
  constructor({ pipelineRunId, state, endedAt }: Pick<RunSummary, 'pipelineRunId' | 'state' | 'endedAt'>) {
    const ended = endedAt ? `, ${iso(endedAt.getTime())}` : '';
    super(
      `Run '${pipelineRunId}' has ended (${state}${ended}): nothing about it can be changed. \`sluice show ${pipelineRunId}\` shows it; ` +
        `\`sluice rerun ${pipelineRunId}\` repeats it.`,
    );
  }
}

/** Identifies a run: `temporalRunId` is needed if an id was used more than once. */
export interface RunReference {
  readonly pipelineRunId: string;
  readonly temporalRunId: string;
}

/**
 * Starts a manual run of a pipeline of the deployment.
 * @param id unique among the runs of the pipeline
 * @param params validated by the caller; the run validates them again
 * @param by who requests the run
 * @throws RunExists, NotYet
 */
export async function startManualRun(
  client: Client,
  plan: Plan,
  taskQueue: string,
  interval: DataInterval,
  id: string,
  params?: JsonObject,
  by?: string,
): Promise<RunReference> {
  NotYet.refuse(plan);
  const start = runStart(plan, 'manual', taskQueue, { interval, ...(params && { params }), ...(by !== undefined && { by }) });
  const startAs = async (name: PipelineName): Promise<RunReference> => {
    const workflowId = pipelineRunId(name, 'manual', id);
    try {
      const handle = await client.workflow.start(plan.dagId, { workflowId, workflowIdReusePolicy: 'REJECT_DUPLICATE', ...start });
      return { pipelineRunId: workflowId, temporalRunId: handle.firstExecutionRunId };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const own = nameIn(taskQueue, plan.dagId);
      // Before both deployments have applied the pipeline, its name does not distinguish them.
      if (name !== own && !(await isOfDeployment(client, workflowId, taskQueue))) return startAs(own);
      throw new RunExists(workflowId);
    }
  };
  return startAs(await pipelineName(client, taskQueue, plan.dagId));
}

async function isOfDeployment(client: Client, workflowId: string, taskQueue: string): Promise<boolean> {
  return (await client.workflow.getHandle(workflowId).describe()).taskQueue === taskQueue;
}

export interface RunSummary {
  readonly pipelineRunId: string;
  readonly temporalRunId: string;
  readonly dagId: string;
  readonly cause: string;
  readonly state: string;
  /** It succeeded without some items of its lists. */
  readonly isPartial?: true;
  /** Whom it waits for, one line each, as recorded by the run itself, so that no worker has to answer. */
  readonly waitsFor?: readonly string[];
  /** The start of its data interval, ISO 8601. */
  readonly interval: string | undefined;
  /** The end of its data interval. */
  readonly intervalEnd: string | undefined;
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
}

/**
 * Lists runs of all pipelines or of one, newest first.
 * @param query a filter in Temporal's query language
 * @param taskQueue of a deployment; absent: of all deployments
 */
export async function listRuns(
  client: Client,
  limit: number,
  dagId?: string,
  query = 'ExecutionStatus IS NOT NULL',
  taskQueue?: string,
): Promise<RunSummary[]> {
  const { pipeline } = SEARCH_ATTRIBUTES;
  const ours = dagId === undefined ? `${pipeline.name} IS NOT NULL` : `${pipeline.name} = ${JSON.stringify(dagId)}`;
  const runs: RunSummary[] = [];
  for await (const info of client.workflow.list({ query: `${ours} AND ${query}${ofDeployment(taskQueue)}`, pageSize: limit })) {
    runs.push(summaryOf(info));
    if (runs.length >= limit) break;
  }
  return runs;
}

/** @throws RunNotFound */
export async function describeRun(client: Client, reference: { pipelineRunId: string; temporalRunId?: string }): Promise<RunSummary> {
  try {
    return summaryOf(await client.workflow.getHandle(reference.pipelineRunId, reference.temporalRunId).describe());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw new RunNotFound(reference.pipelineRunId);
    throw error;
  }
}

/** Why a run rejected a request: it has ended, or does not exist. */
export async function explainRefusal(client: Client, workflowId: string): Promise<Error> {
  try {
    const run = await describeRun(client, { pipelineRunId: workflowId });
    const isRun = !KINDS.some(({ prefix }) => workflowId.startsWith(prefix));
    return isRun && run.endedAt ? new RunEnded(run) : new RunNotFound(workflowId);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Converts an entry of a workflow list to a run summary. */
export function summaryOf(info: Omit<WorkflowExecutionInfo, 'rootExecution' | 'raw'>): RunSummary {
  const attributes = info.typedSearchAttributes;
  const state = attributes.get(SEARCH_ATTRIBUTES.state);
  const timeOf = (name: 'interval' | 'intervalEnd'): string | undefined => {
    const time = attributes.get(SEARCH_ATTRIBUTES[name]);
    return time && iso(time.getTime());
  };
  const waitsFor = info.status.name === 'RUNNING' ? info.memo?.[WAITS_MEMO] : undefined;
  return {
    pipelineRunId: info.workflowId,
    temporalRunId: info.runId,
    dagId: info.type,
    cause: attributes.get(SEARCH_ATTRIBUTES.cause) ?? 'unknown',
    state: stateOf(info.status.name, state),
    ...(info.status.name === 'COMPLETED' && state === PARTIAL && { isPartial: true }),
    ...(Array.isArray(waitsFor) && { waitsFor: waitsFor.map(String) }),
    interval: timeOf('interval'),
    intervalEnd: timeOf('intervalEnd'),
    startedAt: info.startTime,
    endedAt: info.closeTime,
  };
}

/** Temporal's status takes precedence: a terminated run did not write its own state. */
function stateOf(status: string, own: unknown): string {
  switch (status) {
    case 'RUNNING':
      return typeof own === 'string' && isUnderWay(own) ? own : 'running';
    case 'COMPLETED':
      // The run did not start because another was active: `on_overlap: cancel_new`.
      return own === 'canceled' ? 'canceled' : 'success';
    case 'CANCELLED':
      return 'canceled';
    case 'FAILED':
      return 'failed';
    default:
      return `${status.toLowerCase()}${typeof own === 'string' && own !== 'running' ? ` (${own})` : ''}`;
  }
}
