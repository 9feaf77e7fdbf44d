import type { OpenProblem } from '../workflows/plan/incidents/incident.ts';
import { isWaitKey } from '../workflows/plan/tasks/wait-key.ts';
import { isUnanswered } from './waits.ts';
import type { WatchedPipeline } from './watched.ts';

/** What one check has not seen. */
interface Blind {
  readonly pipelines: readonly WatchedPipeline[];
  /** What could not be checked: dag_ids, and ids of sensors. */
  readonly unchecked: ReadonlyMap<string, string>;
  /** Pipelines that should have a schedule and have none. */
  readonly withoutSchedule: readonly string[];
  readonly workersAnswer: boolean;
}

/** Whether a check does not know how the problem `key` stands: it stays as it was. */
export function isUnknown(
  key: string,
  problem: OpenProblem | undefined,
  { pipelines, unchecked, withoutSchedule, workersAnswer }: Blind,
): boolean {
  return (
    (!workersAnswer && key.startsWith('sensor/')) ||
    [...unchecked.keys()].some((subject) => isAbout(key, subject)) ||
    withoutSchedule.some((dagId) => key !== `schedule/${dagId}` && isAbout(key, dagId)) ||
    (problem?.run !== undefined && (isWaitKey(key) ? isUnanswered(problem.run, pipelines) : hasLostRun(key, problem.run, pipelines)))
  );
}

/** Whether the key of a problem is about a pipeline, or about a sensor. @param subject a dag_id, or the id of a sensor */
function isAbout(key: string, subject: string): boolean {
  return key === subject || [subject, `sensor/${subject}`].some((about) => key.startsWith(`${about}/`)) || isOfPipeline(key, subject);
}

function isOfPipeline(key: string, dagId: string): boolean {
  return key === `schedule/${dagId}` || key === `paused/${dagId}`;
}

/** Whether the run of an open problem is gone, and no later run has made the problem good. */
function hasLostRun(key: string, { id, queuedAt }: NonNullable<OpenProblem['run']>, pipelines: readonly WatchedPipeline[]): boolean {
  const [dagId, , ...rest] = key.split('/');
  const pipeline = pipelines.find(({ plan }) => plan.dagId === dagId);
  if (!pipeline || pipeline.runs.some(({ pipelineRunId }) => pipelineRunId === id)) return false;
  const subject = rest.join('/');
  return !pipeline.runs.some((run) => {
    if (run.state !== 'success') return false;
    return pipeline.plan.schedule ? run.interval?.start === subject : run.queuedAt > queuedAt;
  });
}
