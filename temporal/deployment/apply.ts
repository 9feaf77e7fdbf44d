import type { Client } from '@temporalio/client';
import type { OperatorRequest } from '../../workflows/plan/runs/decision.ts';
import { type PipelineName, sensorId, sensorOf } from '../../workflows/plan/ids.ts';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { codecOf } from '../codec/codec.ts';
import { finishUpdate } from '../schedules/finish-update.ts';
import { NotScheduled, scheduleOf } from '../schedules/schedule-facts.ts';
import { applyChange, listAllSchedules } from '../schedules/schedules.ts';
import { missingSearchAttributes } from '../search-attributes.ts';
import { keepSensorPause } from '../sensors/keep-sensor-pause.ts';
import { applySensorChange, listRunningSensors, type SensorChange } from '../sensors/sensors.ts';
import { type AppliedPipelines, type DeploymentChanges, isOwned, type PipelineChange, type ProjectPipelines } from './changes.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** Maximum number of concurrent requests. */
const AT_ONCE = 10;

/** Lists what is applied on a task queue, limited to what is compared with `wanted`. */
export async function listApplied(client: Client, taskQueue: string, wanted: ProjectPipelines): Promise<AppliedPipelines> {
  const { keyId } = codecOf(client);
  // Without search attributes, nothing was applied yet.
  if ((await missingSearchAttributes(client)).length > 0) return { schedules: [], sensors: [], files: new Map() };
  const [all, sensors] = await Promise.all([listAllSchedules(client, taskQueue), listRunningSensors(client, taskQueue)]);
  const schedules = all.filter(({ isDeleted }) => !isDeleted);
  const deleted = all.filter(({ isDeleted }) => isDeleted);
  const planned = new Set(wanted.plans.map(({ plan }) => plan.dagId));
  const unplanned = schedules.filter((schedule) => isOwned(schedule, wanted) && !planned.has(schedule.dagId));
  const files = new Map<string, string>();
  await inTurns(unplanned, AT_ONCE, async ({ dagId, name = dagId }) => {
    const file = await sourceFileOf(client, name);
    if (file !== undefined) files.set(dagId, file);
  });
  return { schedules, ...(deleted.length > 0 && { deleted }), sensors, files, ...(keyId !== undefined && { keyId }) };
}

/** @returns undefined for a Schedule that was deleted since it was listed */
async function sourceFileOf(client: Client, name: PipelineName): Promise<string | undefined> {
  try {
    return (await scheduleOf(client, name)).source?.file;
  } catch (error) {
    if (error instanceof NotScheduled) return undefined;
    throw error;
  }
}

/** The outcome of one change. */
export type Outcome =
  /** With the runs and the backfill that an update of a Schedule started. */
  { readonly started: readonly string[]; readonly backfill?: string } | { readonly failure: string };

export interface ApplyReport {
  onPipeline(change: PipelineChange, outcome: Outcome): void;
  onSensor(change: SensorChange, outcome: Outcome): void;
}

/**
 * Applies changes. A failed change is reported and does not stop the others, but a pipeline is deleted only after its sensors. Can be
 * interrupted anywhere and called again. Skips withheld changes and unchanged pipelines.
 */
export async function applyDeployment(client: Client, taskQueue: string, changes: DeploymentChanges, report: ApplyReport): Promise<void> {
  const due = changes.pipelines.filter(({ action, withheld }) => action !== 'unchanged' && withheld === undefined);
  const sensors = changes.sensors.filter(({ withheld }) => withheld === undefined);
  const deleted = new Set(due.filter(({ action }) => action === 'delete').map(({ dagId }) => dagId));
  /** The names of pipelines, by dag_id. */
  const names = new Map(changes.pipelines.map(({ dagId, name = dagId }) => [dagId, name]));
  const nameOf = ({ id }: SensorChange): PipelineName => names.get(sensorOf(id).dagId) ?? sensorOf(id).name;
  /** Why a pipeline cannot be deleted, by dag_id. */
  const blocked = new Map<string, string>();
  const applySensors = async (list: readonly SensorChange[], apply: (change: SensorChange) => Promise<void>): Promise<void> => {
    await inTurns(list, AT_ONCE, async (change) => {
      const outcome = await outcomeOf(() => apply(change));
      if ('failure' in outcome) blocked.set(sensorOf(change.id).dagId, `its sensor ${change.id} could not be stopped: ${outcome.failure}`);
      report.onSensor(change, outcome);
    });
  };
  const [stops, others] = [sensors.filter(({ action }) => action === 'stop'), sensors.filter(({ action }) => action !== 'stop')];
  await applySensors(stops, async (change) => {
    if (deleted.has(sensorOf(change.id).dagId)) await keepSensorPause(client, nameOf(change), change.id);
    await applySensorChange(client, change, taskQueue);
  });
  await inTurns(due, AT_ONCE, async (change) => {
    const failure = change.action === 'delete' ? blocked.get(change.dagId) : undefined;
    const apply = async (): Promise<Outcome | void> => {
      const name = await applyChange(client, change, taskQueue);
      names.set(change.dagId, name);
      // The runs for ticks that an update dropped, and those that `catchup` asks for.
      return change.action === 'delete' ? undefined : finishUpdate(client, name, taskQueue);
    };
    report.onPipeline(change, failure === undefined ? await outcomeOf(apply) : { failure });
  });
  await applySensors(others, async (change) => {
    if (change.action !== 'start') return applySensorChange(client, change, taskQueue);
    const name = nameOf(change);
    const { trigger } = sensorOf(change.id);
    await applySensorChange(client, { ...change, id: sensorId(name, trigger) }, taskQueue, await keptPause(client, name, trigger));
  });
}

/** The pause that a sensor had when its pipeline was deleted. */
async function keptPause(client: Client, name: PipelineName, trigger: string): Promise<OperatorRequest | undefined> {
  try {
    return (await scheduleOf(client, name)).pausedSensors?.[trigger];
  } catch (error) {
    // Its pipeline could not be created, which is reported there.
    if (error instanceof NotScheduled) return undefined;
    throw error;
  }
}

async function outcomeOf(work: () => Promise<Outcome | void>): Promise<Outcome> {
  try {
    return (await work()) ?? { started: [] };
  } catch (error) {
    return { failure: errorText(error) };
  }
}
