import { boundedId } from './values/bounded-id.ts';
import { sha256Hex } from './values/sha256.ts';
import type { DataInterval } from './timetable/schedule.ts';

/**
 * The ids in Temporal of everything that belongs to one pipeline. They are wire data: runs and incidents keep the ids with which they
 * started.
 */

/**
 * The name of a pipeline among all deployments of a namespace, and the id of its Schedule: its dag_id; or `<deployment>:<dag_id>`, if
 * another deployment has that name. The ids of its runs, sensors and backfills contain it.
 */
export type PipelineName = string;

/** The first parts of ids of other workflows: a pipeline of such a name would share their ids. */
export const RESERVED_DAG_IDS: ReadonlySet<string> = new Set(['sensor', 'incident', 'monitor', 'probe', 'pool', 'slots']);

/** Neither a dag_id nor `deploymentMark` contains it. */
const SEPARATOR = ':';
/** A longer name of a deployment is hashed, in characters: the name of a pipeline must stay readable in an id of 255 bytes. */
const MAX_DEPLOYMENT = 80;

/** The name of a pipeline in a deployment, if another deployment has its dag_id. @param deployment its task queue */
export function nameIn(deployment: string, dagId: string): PipelineName {
  return `${deploymentMark(deployment)}${SEPARATOR}${dagId}`;
}

/** The dag_id of a pipeline, from its name. */
export function dagIdOf(name: PipelineName): string {
  return name.slice(name.indexOf(SEPARATOR) + 1);
}

/** The name of a pipeline in the deployment of a run or backfill: it has the deployment if that id has it. */
export function siblingName(runId: string, dagId: string): PipelineName {
  const [, deployment = ''] = /^([^/:]+:)[a-z][a-z0-9_]*\//.exec(runId) ?? [];
  return `${deployment}${dagId}`;
}

/** The name of a deployment in ids: different for each; without `:` and `/`. @param deployment its task queue */
export function deploymentMark(deployment: string): string {
  if (deployment !== '' && deployment.length <= MAX_DEPLOYMENT && !/\p{Cs}/u.test(deployment)) {
    const mark = encodeURIComponent(deployment).replace(/[~!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16)}`);
    if (mark.length <= MAX_DEPLOYMENT) return mark;
  }
  // JSON escapes unpaired surrogates, so that each has its own hash.
  return `~${sha256Hex(JSON.stringify(deployment))}`;
}

/** `<name>/<cause>/<id>`, in at most 255 bytes. A run's id is derived from its cause, so that the server refuses a second run of it. */
export function pipelineRunId(name: PipelineName, cause: string, id: string): string {
  return boundedId(wholeRunId(name, cause, id));
}

/** Like `pipelineRunId`, without a length limit: the ids of older releases. */
export function wholeRunId(name: PipelineName, cause: string, id: string): string {
  return `${name}/${cause}/${id}`;
}

/** Schedules append the tick to this id: `<name>/scheduled-2024-01-02T00:00:00Z`. */
export function scheduledRunIdBase(name: PipelineName): string {
  return `${name}/scheduled`;
}

/** The tick of a run that a Schedule started, from its id; undefined for other runs. Milliseconds. */
export function tickOf(runId: string): number | undefined {
  const [, text = ''] = /^scheduled-(.+)$/.exec(withinPipeline(runId)) ?? [];
  const tick = Date.parse(text);
  return Number.isNaN(tick) ? undefined : tick;
}

/** The id of a run that a backfill starts. @param isWhole whether it contains both ends; false for backfills of earlier releases */
export function backfillRunId(name: PipelineName, { start, end }: DataInterval, isWhole: boolean): string {
  return `${name}/backfill/${start}${isWhole ? `/${end}` : ''}`;
}

/** Whether the id is that of a run which a Schedule or a backfill of this pipeline started. */
export function isIdOfTimetable(runId: string, dagId: string): boolean {
  return dagIdOf(nameOfRun(runId)) === dagId && /^(?:scheduled-|backfill\/)/.test(withinPipeline(runId));
}

/** `<name>/backfills/<from>/<to>`: two backfills of one range cannot run at the same time. */
export function backfillId(name: PipelineName, from: string, to: string): string {
  return `${name}/backfills/${from}/${to}`;
}

/** The name of the pipeline of a run or a backfill, from its workflow id. */
export function nameOfRun(runId: string): PipelineName {
  const end = runId.indexOf('/');
  return end < 0 ? runId : runId.slice(0, end);
}

/** The id of a run within its pipeline: `manual/2024-01-01`. */
export function withinPipeline(runId: string): string {
  return runId.includes('/') ? runId.slice(nameOfRun(runId).length + 1) : runId;
}

/** The workflow id of a trigger's sensor. */
export function sensorId(name: PipelineName, trigger: string): string {
  return `sensor/${name}/${trigger}`;
}

/** The pipeline and the trigger of a sensor, from its workflow id. */
export function sensorOf(id: string): { readonly name: PipelineName; readonly dagId: string; readonly trigger: string } {
  const [, name = '', trigger = ''] = id.split('/');
  return { name, dagId: dagIdOf(name), trigger };
}

/** The id of a sensor without its deployment: the same for each trigger of a deployment. */
export function plainSensorId(id: string): string {
  const { dagId, trigger } = sensorOf(id);
  return sensorId(dagId, trigger);
}

/** The name of the pipeline of a sensor. @param dagId of the pipeline, for an id that has another form */
export function nameOfSensor(id: string, dagId: string): PipelineName {
  const sensor = sensorOf(id);
  return sensor.dagId === dagId ? sensor.name : dagId;
}

/** The workflow id of an incident. @param key as monitors and channels use it */
export function incidentId(key: string): string {
  return `incident/${key}`;
}

/** The id of a run, backfill, sensor or incident with its deployment. @param id without it */
export function idIn(deployment: string, id: string): string {
  const [, kind = '', rest = ''] = /^((?:sensor|incident)\/)?(.*)$/s.exec(id) ?? [];
  return `${kind}${deploymentMark(deployment)}${SEPARATOR}${rest}`;
}

/** The key of an incident, if another deployment has an open incident with this key. */
export function incidentKeyIn(deployment: string, key: string): string {
  return `${deploymentMark(deployment)}${SEPARATOR}${key}`;
}
