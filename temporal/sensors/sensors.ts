import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { OperatorRequest } from '../../workflows/plan/runs/decision.ts';
import { withDrawing } from '../../graph/with-drawing.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import {
  PAUSE_SENSOR,
  RESET_SENSOR,
  RESUME_SENSOR,
  SENSOR_QUERY,
  SENSOR_UPDATE,
  SENSOR_WORKFLOW,
  sensorId,
  type SensorInput,
  type SensorReset,
  type SensorState,
} from '../../workflows/plan/sensor.ts';
import { answerIfAny } from '../answer.ts';
import { sendUpdate } from '../runs/decisions.ts';
import { NotYet } from '../runs/runs.ts';
import { searchAttribute } from '../search-attributes.ts';

/** One thing to do so that the sensors agree with the files. */
export interface SensorChange {
  /** `sensor/<dag_id>/<trigger>`. */
  readonly id: string;
  readonly action: 'start' | 'update' | 'stop';
  readonly plan?: Plan;
  readonly trigger?: string;
}

/** A sensor that runs, as Temporal lists it. */
export interface RunningSensor {
  readonly id: string;
  readonly dagId: string;
  readonly planHash: string;
}

/** The sensors of one deployment (task queue). */
export async function listRunningSensors(client: Client, taskQueue: string): Promise<RunningSensor[]> {
  const query = `WorkflowType = "${SENSOR_WORKFLOW}" AND ${SEARCH_ATTRIBUTES.queue.name} = ${JSON.stringify(taskQueue)} AND ExecutionStatus = "Running"`;
  const found: RunningSensor[] = [];
  for await (const { workflowId, typedSearchAttributes } of client.workflow.list({ query })) {
    found.push({
      id: workflowId,
      dagId: workflowId.split('/')[1] ?? '',
      planHash: typedSearchAttributes.get(SEARCH_ATTRIBUTES.planHash) ?? '',
    });
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * What would have to change.
 * @param keep pipelines whose sensors go on although no plan is given, because their files cannot be read at the moment
 */
export function diffSensors(plans: readonly Plan[], running: readonly RunningSensor[], keep: (dagId: string) => boolean): SensorChange[] {
  const known = new Map(running.map((sensor) => [sensor.id, sensor]));
  const wanted = plans.flatMap((plan) =>
    (plan.triggers ?? []).map(({ name }) => ({ id: sensorId(plan.dagId, name), plan, trigger: name })),
  );
  const ids = new Set(wanted.map(({ id }) => id));
  return [
    ...wanted.flatMap(({ id, plan, trigger }): SensorChange[] => {
      const sensor = known.get(id);
      if (sensor?.planHash === plan.hash) return [];
      return [{ id, action: sensor ? 'update' : 'start', plan, trigger }];
    }),
    ...running.filter(({ id, dagId }) => !ids.has(id) && !keep(dagId)).map(({ id }): SensorChange => ({ id, action: 'stop' })),
  ];
}

/** Carries out one change. Runs that have begun are not touched. @throws NotYet */
export async function applySensorChange(client: Client, { id, plan, trigger }: SensorChange, taskQueue: string): Promise<void> {
  if (!plan || trigger === undefined) {
    await client.workflow
      .getHandle(id)
      .cancel()
      .catch((error: unknown) => {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
    return;
  }
  NotYet.refuse(plan);
  const drawn = withDrawing(plan);
  const input: SensorInput = { plan: drawn, trigger };
  // Whether it runs is known with a delay: the server itself starts it or hands the plan over.
  await client.workflow.signalWithStart(SENSOR_WORKFLOW, {
    workflowId: id,
    taskQueue,
    args: [input],
    signal: SENSOR_UPDATE,
    signalArgs: [drawn],
    staticSummary: `Starts runs of ${plan.dagId}`,
    // Not the pipeline: that is what its runs are found by.
    typedSearchAttributes: [
      searchAttribute('planHash', plan.hash),
      searchAttribute('queue', taskQueue),
      searchAttribute('state', 'running'),
      ...(plan.owner === undefined ? [] : [searchAttribute('owner', plan.owner)]),
    ],
  });
}

/** A sensor and how it stands. */
export interface SensorStatus {
  readonly id: string;
  /** Absent where no worker is there to say. */
  readonly state?: SensorState;
}

/** How the sensors of a deployment stand. */
export async function listSensors(client: Client, taskQueue: string): Promise<SensorStatus[]> {
  const running = await listRunningSensors(client, taskQueue);
  return Promise.all(running.map(({ id }) => statusOf(client, id)));
}

/** How one sensor stands. */
export async function statusOf(client: Client, id: string): Promise<SensorStatus> {
  const state = await answerIfAny(client, id, () => client.workflow.getHandle(id).query(SENSOR_QUERY));
  return { id, ...(state && { state }) };
}

/** Lets a sensor look at no further events. @returns its answer @throws RunNotFound, DecisionRefused, NoAnswer */
export function pauseSensor(client: Client, id: string, request: OperatorRequest): Promise<string> {
  return sendUpdate(client, id, PAUSE_SENSOR, request);
}

/** Lets a sensor go on that was paused, or has stopped. @returns its answer @throws RunNotFound, DecisionRefused, NoAnswer */
export function resumeSensor(client: Client, id: string, request: OperatorRequest): Promise<string> {
  return sendUpdate(client, id, RESUME_SENSOR, request);
}

/** Its consumers have to stop first, which they hear of with their next heartbeat. In milliseconds. */
const RESET_WITHIN = 60_000;

/** Lets a sensor begin again elsewhere: `earliest`, `latest` or a time. @throws RunNotFound, DecisionRefused, NoAnswer */
export function resetSensor(client: Client, id: string, request: SensorReset): Promise<string> {
  return sendUpdate(client, id, RESET_SENSOR, request, RESET_WITHIN);
}
