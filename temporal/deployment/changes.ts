import { type PruneOptions, whyNotDeleted } from '../../lib/deletion-limit.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { refusal } from '../../workflows/plan/not-yet.ts';
import { diffSchedules, type ScheduleChange, type ScheduleState } from '../schedules/schedules.ts';
import { diffSensors, type RunningSensor, type SensorChange } from '../sensors/sensors.ts';
import { markOf, type PipelineSource } from './pipeline-source.ts';

/** The pipelines that the files of one project define. */
export interface ProjectPipelines {
  readonly project: string;
  /**
   * The files and folders that were read, relative to the project root, with `/`; `''` is the root. Pipelines outside of them are not
   * touched.
   */
  readonly paths: readonly string[];
  readonly plans: readonly { readonly plan: Plan; readonly file: string }[];
  /** Files that have mistakes, with their `dag_id` if it can be read. Their pipelines stay as last applied. */
  readonly broken: readonly { readonly file: string; readonly dagId?: string }[];
}

/** What a deployment has in Temporal. */
export interface AppliedPipelines {
  readonly schedules: readonly ScheduleState[];
  /** The Schedules of deleted pipelines that are kept because they were paused; absent: none. */
  readonly deleted?: readonly ScheduleState[];
  /** The files of Schedules that this project applied and has no plan for, by dag_id. */
  readonly files: ReadonlyMap<string, string>;
  readonly sensors: readonly RunningSensor[];
  /** The key that encrypts payloads; absent without encryption. */
  readonly keyId?: string;
}

export type ApplyOptions = PruneOptions;

/** A change of a Schedule. `withheld` says why it is not made. */
export type PipelineChange = ScheduleChange & { readonly withheld?: string };

export interface DeploymentChanges {
  readonly pipelines: readonly PipelineChange[];
  readonly sensors: readonly SensorChange[];
}

/**
 * Determines what applying a project's files changes. `sluice plan` shows the changes; `sluice apply` and the scheduler make them.
 *
 * A missing file alone never causes a deletion: a deletion requires `prune`, a Schedule that was applied from this project and from
 * `paths`, and no unreadable files.
 */
export function diffDeployment(wanted: ProjectPipelines, applied: AppliedPipelines, options: ApplyOptions): DeploymentChanges {
  const plans = wanted.plans.map(({ plan }) => plan);
  const sources = new Map(wanted.plans.map(({ plan, file }): [string, PipelineSource] => [plan.dagId, { project: wanted.project, file }]));
  const isBroken = (dagId: string): boolean => wanted.broken.some((each) => each.dagId === dagId || each.file === applied.files.get(dagId));
  const owned = applied.schedules.filter((schedule) => isOwned(schedule, wanted)).length;
  const isGone = (dagId: string): boolean => !isBroken(dagId) && isWithin(applied.files.get(dagId), wanted.paths);
  const compared = diffSchedules(
    plans,
    [...(applied.deleted ?? []), ...applied.schedules],
    (dagId) => !isGone(dagId),
    applied.keyId,
    sources,
  );
  const deletions = compared.filter(({ action }) => action === 'delete').length;
  const withheld = whyDeletionIsWithheld(wanted, deletions, owned, options);
  const pipelines = compared.map((change): PipelineChange => {
    if (change.action !== 'delete') return change;
    const file = applied.files.get(change.dagId);
    const detail = wanted.plans.some((each) => each.file === file) ? `${file} has another dag_id now` : `${file} is gone`;
    return { ...change, detail, ...(withheld !== undefined && { withheld }) };
  });
  return { pipelines, sensors: sensorChanges(wanted, applied, pipelines, options) };
}

/** Whether a Schedule was applied from a project. */
export function isOwned({ source }: ScheduleState, { project }: Pick<ProjectPipelines, 'project'>): boolean {
  return source?.project === markOf({ project, file: '' }).project;
}

/** Whether a file was among the files and folders that are applied. */
export function isWithin(file: string | undefined, paths: readonly string[]): boolean {
  return file !== undefined && paths.some((path) => path === '' || file === path || file.startsWith(`${path}/`));
}

/** @returns undefined if deletions are allowed */
function whyDeletionIsWithheld({ broken }: ProjectPipelines, deletions: number, owned: number, options: ApplyOptions): string | undefined {
  const unclear = broken.find(({ dagId }) => dagId === undefined);
  if (unclear) return `${unclear.file} cannot be read, and may be its file under a new name`;
  return whyNotDeleted(deletions, owned, 'pipelines', options);
}

/** Sensors are deleted together with their pipelines. */
function sensorChanges(
  { plans, broken }: ProjectPipelines,
  { schedules, sensors }: AppliedPipelines,
  pipelines: readonly PipelineChange[],
  { prune }: ApplyOptions,
): SensorChange[] {
  const whole = plans.map(({ plan }) => plan).filter((plan) => refusal(plan) === undefined);
  const files = new Set(whole.map(({ dagId }) => dagId));
  const deleted = new Set(
    pipelines.filter(({ action, withheld }) => action === 'delete' && withheld === undefined).map(({ dagId }) => dagId),
  );
  const applied = new Set(schedules.map(({ dagId }) => dagId));
  const mayHaveFile = (dagId: string): boolean => broken.some((file) => file.dagId === undefined || file.dagId === dagId);
  // A Schedule is deleted after its sensors, so a sensor without a Schedule is left from an interrupted deletion.
  const isLeftOver = (dagId: string): boolean => prune && !applied.has(dagId) && !mayHaveFile(dagId);
  const stays = (dagId: string): boolean => !files.has(dagId) && !deleted.has(dagId) && !isLeftOver(dagId);
  return diffSensors(whole, sensors, stays);
}
