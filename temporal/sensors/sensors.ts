import { type Client, type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client';
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
  sensorOf,
  type SensorInput,
  type SensorReset,
  type SensorState,
} from '../../workflows/plan/sensor.ts';
import { nameIn, plainSensorId } from '../../workflows/plan/ids.ts';
import { answerIfAny } from '../answer.ts';
import { sendUpdate } from '../runs/decisions.ts';
import { NotYet } from '../runs/runs.ts';
import { searchAttribute } from '../search-attributes.ts';

/** One change that makes the sensors match the files. */
export interface SensorChange {
  /** Of the running sensor; before its start, without the deployment that it may get. */
  readonly id: string;
  readonly action: 'start' | 'update' | 'stop';
  readonly plan?: Plan;
  readonly trigger?: string;
  /** Why it is not made. */
  readonly withheld?: string;
}

/** A running sensor as Temporal lists it. */
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
      dagId: sensorOf(workflowId).dagId,
      planHash: typedSearchAttributes.get(SEARCH_ATTRIBUTES.planHash) ?? '',
    });
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * Determines the changes.
 * @param keep pipelines without a plan whose sensors keep running, because their files cannot be read at the moment
 */
export function diffSensors(plans: readonly Plan[], running: readonly RunningSensor[], keep: (dagId: string) => boolean): SensorChange[] {
  const known = new Map(running.map((sensor) => [plainSensorId(sensor.id), sensor]));
  const wanted = plans.flatMap((plan) =>
    (plan.triggers ?? []).map(({ name }) => ({ id: sensorId(plan.dagId, name), plan, trigger: name })),
  );
  const ids = new Set(wanted.map(({ id }) => id));
  return [
    ...wanted.flatMap(({ id, plan, trigger }): SensorChange[] => {
      const sensor = known.get(id);
      if (sensor?.planHash === plan.hash) return [];
      return [{ id: sensor?.id ?? id, action: sensor ? 'update' : 'start', plan, trigger }];
    }),
    ...running
      .filter(({ id, dagId }) => !ids.has(plainSensorId(id)) && !keep(dagId))
      .map(({ id }): SensorChange => ({ id, action: 'stop' })),
  ];
}

/**
 * Applies one change. Started runs are not affected.
 * @param paused starts the sensor paused
 * @throws NotYet
 */
export async function applySensorChange(
  client: Client,
  { id, action, plan, trigger }: SensorChange,
  taskQueue: string,
  paused?: OperatorRequest,
): Promise<void> {
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
  const at = action === 'start' ? await idToStart(client, id, taskQueue) : id;
  const input: SensorInput = { plan: drawn, trigger, ...(paused && { paused }) };
  // Lists lag behind, so signal with start: the server starts the sensor or delivers the plan.
  await client.workflow.signalWithStart(SENSOR_WORKFLOW, {
    workflowId: at,
    taskQueue,
    args: [input],
    signal: SENSOR_UPDATE,
    signalArgs: [drawn],
    staticSummary: `Starts runs of ${plan.dagId}`,
    // Without the pipeline attribute, which identifies runs.
    typedSearchAttributes: [
      searchAttribute('planHash', plan.hash),
      searchAttribute('queue', taskQueue),
      searchAttribute('state', paused ? 'paused' : 'running'),
      ...(plan.owner === undefined ? [] : [searchAttribute('owner', plan.owner)]),
    ],
  });
}

/**
 * The id with which to start a sensor: the one that it had in this deployment before, because its position and the ids of its runs contain
 * the name in it; else the given one, or with this deployment if a sensor of another one has that.
 */
async function idToStart(client: Client, id: string, taskQueue: string): Promise<string> {
  const { dagId, trigger } = sensorOf(id);
  const own = sensorId(nameIn(taskQueue, dagId), trigger);
  const ids = [...new Set([id, plainSensorId(id), own])];
  const known = (await Promise.all(ids.map((each) => lastSensor(client, each)))).flatMap((each) => each ?? []);
  const [former] = known.filter((each) => each.taskQueue === taskQueue).sort((a, b) => b.startTime.getTime() - a.startTime.getTime());
  if (former) return former.workflowId;
  return known.some(({ workflowId, status }) => workflowId === id && status.name === 'RUNNING') ? own : id;
}

/** The last sensor with this id; undefined if Temporal has none. */
async function lastSensor(client: Client, id: string): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await client.workflow.getHandle(id).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** A sensor and its state. */
export interface SensorStatus {
  readonly id: string;
  /** Absent if no worker answers. */
  readonly state?: SensorState;
}

/** Lists the sensors of a deployment with their states. */
export async function listSensors(client: Client, taskQueue: string): Promise<SensorStatus[]> {
  const running = await listRunningSensors(client, taskQueue);
  return Promise.all(running.map(({ id }) => statusOf(client, id)));
}

/** Returns the state of one sensor. */
export async function statusOf(client: Client, id: string): Promise<SensorStatus> {
  const state = await answerIfAny(client, id, () => client.workflow.getHandle(id).query(SENSOR_QUERY));
  return { id, ...(state && { state }) };
}

/** Pauses a sensor. @returns its answer @throws RunNotFound, DecisionRefused, NoAnswer */
export function pauseSensor(client: Client, id: string, request: OperatorRequest): Promise<string> {
  return sendUpdate(client, id, PAUSE_SENSOR, request);
}

/** Resumes a paused or stopped sensor. @returns its answer @throws RunNotFound, DecisionRefused, NoAnswer */
export function resumeSensor(client: Client, id: string, request: OperatorRequest): Promise<string> {
  return sendUpdate(client, id, RESUME_SENSOR, request);
}

/** Its consumers must stop first, which they learn with their next heartbeat. In milliseconds. */
const RESET_WITHIN = 60_000;

/** Resets the position of a sensor: `earliest`, `latest` or a time. @throws RunNotFound, DecisionRefused, NoAnswer */
export function resetSensor(client: Client, id: string, request: SensorReset): Promise<string> {
  return sendUpdate(client, id, RESET_SENSOR, request, RESET_WITHIN);
}
