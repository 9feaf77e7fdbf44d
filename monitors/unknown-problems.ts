import type { OpenProblem } from '../workflows/plan/incidents/incident.ts';
import { isWaitKey } from '../workflows/plan/tasks/wait-key.ts';
import { isUnanswered } from './waits.ts';
import type { WatchedPipeline } from './watched.ts';

/** The parts that one check could not see. */
interface Blind {
  readonly pipelines: readonly WatchedPipeline[];
  /** Subjects that could not be checked: dag_ids and sensor ids. */
  readonly unchecked: ReadonlyMap<string, string>;
  /** Pipelines whose schedule is missing. */
  readonly withoutSchedule: readonly string[];
  readonly workersAnswer: boolean;
}

/** Whether the check cannot tell if the problem `key` still exists: its state is then kept. */
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

/** Whether the key of a problem belongs to a pipeline or sensor. @param subject a dag_id, or a sensor id */
function isAbout(key: string, subject: string): boolean {
  return key === subject || [subject, `sensor/${subject}`].some((about) => key.startsWith(`${about}/`)) || isOfPipeline(key, subject);
}

function isOfPipeline(key: string, dagId: string): boolean {
  return key === `schedule/${dagId}` || key === `paused/${dagId}`;
}

/** Whether the run of an open problem was removed, and no later success has replaced it. */
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
