import type { Client } from '@temporalio/client';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { codecOf } from '../codec/codec.ts';
import { finishUpdate } from '../schedules/finish-update.ts';
import { NotScheduled, scheduleOf } from '../schedules/schedule-facts.ts';
import { applyChange, listSchedules } from '../schedules/schedules.ts';
import { missingSearchAttributes } from '../search-attributes.ts';
import { applySensorChange, listRunningSensors, type SensorChange } from '../sensors/sensors.ts';
import type { AppliedPipelines, DeploymentChanges, PipelineChange, ProjectPipelines } from './changes.ts';
import { markOf } from './pipeline-source.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** Maximum number of concurrent requests. */
const AT_ONCE = 10;

/** Lists what is applied on a task queue, limited to what is compared with `wanted`. */
export async function listApplied(client: Client, taskQueue: string, wanted: ProjectPipelines): Promise<AppliedPipelines> {
  const { keyId } = codecOf(client);
  // Without search attributes, nothing was applied yet.
  if ((await missingSearchAttributes(client)).length > 0) return { schedules: [], sensors: [], files: new Map() };
  const [schedules, sensors] = await Promise.all([listSchedules(client, taskQueue), listRunningSensors(client, taskQueue)]);
  const { project } = markOf({ project: wanted.project, file: '' });
  const planned = new Set(wanted.plans.map(({ plan }) => plan.dagId));
  const unplanned = schedules.filter(({ dagId, source }) => source?.project === project && !planned.has(dagId));
  const files = new Map<string, string>();
  await inTurns(unplanned, AT_ONCE, async ({ dagId }) => {
    const file = await sourceFileOf(client, dagId);
    if (file !== undefined) files.set(dagId, file);
  });
  return { schedules, sensors, files, ...(keyId !== undefined && { keyId }) };
}

/** @returns undefined for a Schedule that was deleted since it was listed */
async function sourceFileOf(client: Client, dagId: string): Promise<string | undefined> {
  try {
    return (await scheduleOf(client, dagId)).source?.file;
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
 * Applies changes. A failed change is reported and does not stop the others. Can be interrupted anywhere and called again. Skips withheld
 * changes and unchanged pipelines.
 */
export async function applyDeployment(client: Client, taskQueue: string, changes: DeploymentChanges, report: ApplyReport): Promise<void> {
  const { pipelines, sensors } = changes;
  const stops = sensors.filter(({ action }) => action === 'stop');
  const due = pipelines.filter(({ action, withheld }) => action !== 'unchanged' && withheld === undefined);
  const applySensors = async (list: readonly SensorChange[]): Promise<void> => {
    await inTurns(list, AT_ONCE, async (change) =>
      report.onSensor(change, await outcomeOf(() => applySensorChange(client, change, taskQueue))),
    );
  };
  await applySensors(stops);
  await inTurns(due, AT_ONCE, async (change) =>
    report.onPipeline(change, await outcomeOf(() => applyPipelineChange(client, change, taskQueue))),
  );
  await applySensors(sensors.filter((change) => !stops.includes(change)));
}

/** Applies one change and its follow-up: runs for ticks that an update dropped, and those that `catchup` asks for. */
async function applyPipelineChange(client: Client, change: PipelineChange, taskQueue: string): Promise<Outcome | undefined> {
  await applyChange(client, change, taskQueue);
  return change.action === 'delete' ? undefined : finishUpdate(client, change.dagId, taskQueue);
}

async function outcomeOf(work: () => Promise<Outcome | void>): Promise<Outcome> {
  try {
    return (await work()) ?? { started: [] };
  } catch (error) {
    return { failure: errorText(error) };
  }
}
