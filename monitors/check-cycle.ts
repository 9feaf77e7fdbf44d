import {
  type CheckCycleInput,
  type CheckCycleResult,
  type OpenProblem,
  DEFAULT_MONITOR_SETTINGS,
} from '../workflows/plan/incidents/incident.ts';
import { iso } from '../workflows/plan/timetable/schedule.ts';
import { isWaitKey } from '../workflows/plan/tasks/wait-key.ts';
import {
  brokenFileFindings,
  deadWorkers,
  missingSchedules,
  removedRuns,
  uncheckedFindings,
  unexplainedPauses,
} from './deployment-findings.ts';
import type { Checked, MonitorFacts, SensorFacts } from './facts.ts';
import { type Finding, DEFAULT_ALERTS } from './finding.ts';
import { pageOf } from './page.ts';
import type { ProblemKind } from './problem.ts';
import { findProblems, isWatched } from './problems.ts';
import { reportFindings } from './report-findings.ts';
import { findSensorTroubles } from './sensor-troubles.ts';
import { Since } from './since.ts';
import { isUnanswered } from './waits.ts';
import type { WatchedPipeline } from './watched.ts';

/** What began while no worker was there gets so long afterwards to become well by itself. Milliseconds. */
const RECOVERY = 300_000;

/** So many problems of one pipeline are reported: each is an incident, and all are carried from check to check. */
const MAX_FINDINGS = 200;

/** Without workers nobody knows how sensors stand. */
const NO_SENSORS: Checked<SensorFacts[]> = { found: [], unchecked: new Map() };

/**
 * Checks everything once: finds what is wrong, and reports to the incidents what has begun, changed and ended. To do it again after a crash
 * does no harm: an incident hears twice what it knows. What cannot be checked is a finding of its own, and hides nothing else.
 */
export async function runCheckCycle(
  { taskQueue, settings, memory, now: time }: CheckCycleInput,
  facts: MonitorFacts,
): Promise<CheckCycleResult> {
  const now = Date.parse(time);
  const since = new Since(memory.since, now);
  const { found: pipelines, unchecked: uncheckedPipelines } = await facts.pipelines(now, Object.keys(memory.open));
  const unchecked = new Map(uncheckedPipelines);
  const plans = new Map(pipelines.map(({ plan }) => [plan.dagId, plan]));
  const answers = await facts.workersAnswer();
  const silent = since.lasting('silent', !answers) ?? 0;
  const dead = silent >= settings.silenceMs;
  const wasDead = since.recently('dead', dead, RECOVERY);
  const sensors = answers ? await facts.sensors() : NO_SENSORS;
  for (const [id, reason] of sensors.unchecked) unchecked.set(id, reason);

  const isThere = (dagId: string): boolean => plans.has(dagId) || unchecked.has(dagId);
  const withoutSchedule = (memory.expected ?? []).filter((dagId) => !plans.has(dagId));
  const isUnknown = (key: string, problem?: OpenProblem): boolean =>
    (!answers && key.startsWith('sensor/')) ||
    [...unchecked.keys()].some((subject) => isAbout(key, subject)) ||
    withoutSchedule.some((dagId) => key !== `schedule/${dagId}` && isAbout(key, dagId)) ||
    (problem?.run !== undefined && (isWaitKey(key) ? isUnanswered(problem.run, pipelines) : hasLostRun(key, problem.run, pipelines)));
  since.carry(isUnknown);

  const findings: Finding[] = [
    ...(dead ? [deadWorkers(taskQueue, now - silent, pipelines)] : []),
    ...(answers ? findSensorTroubles(sensors, plans, since, settings) : []),
    ...missingSchedules(memory.expected, isThere, since, settings.graceMs),
    ...unexplainedPauses(pipelines, since, settings.graceMs),
    ...removedRuns(pipelines),
    ...brokenFileFindings(memory.files?.broken ?? [], plans, now, settings.fileMs ?? DEFAULT_MONITOR_SETTINGS.fileMs),
    ...pipelines.flatMap((pipeline) => {
      try {
        const found = findingsOf(pipeline, facts, now, settings);
        if (found.length <= MAX_FINDINGS) return found;
        // Its open incidents stay open: which of them are over is not known.
        unchecked.set(pipeline.plan.dagId, `it has ${found.length} problems at once; only ${MAX_FINDINGS} are reported`);
        return found.slice(0, MAX_FINDINGS);
      } catch (error) {
        // Whatever is wrong with one pipeline, the others are checked.
        unchecked.set(pipeline.plan.dagId, String(error));
        return [];
      }
    }),
  ];
  findings.push(...uncheckedFindings(unchecked, plans, since, settings.graceMs));
  const { open, lines, failures } = await reportFindings(findings, memory.open, facts, {
    // Their cause is known, and has its own incident; many become well as soon as there are workers again.
    holdsBack: wasDead || !answers,
    isUnknown,
    storm: `${taskQueue}/storm/${iso(now)}`,
    now,
  });
  const completeAt = unchecked.size === 0 && failures === 0 ? iso(now) : memory.completeAt;
  return {
    memory: {
      open,
      since: since.kept(),
      ...(memory.expected && { expected: memory.expected }),
      ...(memory.files && { files: memory.files }),
      ...(completeAt !== undefined && { completeAt }),
    },
    report: [
      `${pipelines.filter(({ plan }) => isWatched(plan)).length} of ${pipelines.length} pipelines have SLAs; checked at ${time}`,
      dead ? `✘ no worker responds since ${iso(now - silent)}` : answers ? '✔ workers respond' : '… workers do not respond at the moment',
      ...[...unchecked].slice(0, 20).map(([subject, reason]) => `? ${subject} cannot be checked: ${reason}`),
      ...findings.slice(0, 50).map(({ state, line }) => `${state === 'breach' ? '✘' : '!'} ${line}`),
      ...lines,
    ],
  };
}

/** Which problems dead workers explain. */
const EXPLAINED_BY_DEAD_WORKERS = {
  missing: true,
  never_started: true,
  late: true,
  stale: true,
  failed: false,
  held: false,
  assert: false,
  waits: false,
} as const satisfies Record<ProblemKind, boolean>;

function findingsOf(pipeline: WatchedPipeline, facts: MonitorFacts, now: number, settings: CheckCycleInput['settings']): Finding[] {
  return findProblems(pipeline, now, settings).map((problem): Finding => {
    const { key, state, plan, severity, kind, what, run, alerts = plan.alerts ?? DEFAULT_ALERTS } = problem;
    return {
      key,
      state,
      alerts,
      severity,
      waits: EXPLAINED_BY_DEAD_WORKERS[kind],
      dagId: plan.dagId,
      line: `${plan.dagId} ${what}`,
      ...(run && { run: { id: run.pipelineRunId, queuedAt: run.queuedAt } }),
      page: () => pageOf(problem, facts, now),
    };
  });
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
