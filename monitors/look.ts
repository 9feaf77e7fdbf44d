import { inTurns } from '../lib/in-turns.ts';
import { PAUSED_BY } from '../workflows/plan/decision.ts';
import {
  type LookCall,
  type LookResult,
  type MonitorMemory,
  type Observation,
  type OpenProblem,
  type Page,
} from '../workflows/plan/incident.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { iso } from '../workflows/plan/schedule.ts';
import type { AlertsPlan } from '../workflows/plan/sla.ts';
import type { MonitorFacts } from './facts.ts';
import { type Finding, findingOf, USUAL_ALERTS } from './finding.ts';
import { pageOf } from './page.ts';
import { findProblems, isWatched } from './problems.ts';
import { findSensorTroubles } from './sensor-troubles.ts';
import { Since } from './since.ts';
import type { WatchedPipeline } from './watched.ts';

/** So many new problems at once are one incident: they have one cause. */
const STORM = 20;
/** What began while no worker was there gets so long afterwards to become well by itself. Milliseconds. */
const RECOVERY = 300_000;

/** So many incidents are told at the same time. */
const AT_ONCE = 20;

/**
 * Looks at everything once: finds what is wrong, and tells the incidents what has begun, changed and ended. To do it again after a crash
 * does no harm: an incident hears twice what it knows.
 */
export async function look({ taskQueue, settings, memory, now: time }: LookCall, facts: MonitorFacts): Promise<LookResult> {
  const now = Date.parse(time);
  const since = new Since(memory.since, now);
  const pipelines = await facts.pipelines(now, Object.keys(memory.open));
  const plans = new Map(pipelines.map(({ plan }) => [plan.dagId, plan]));
  const answers = await facts.workersAnswer();
  const silent = since.lasting('silent', !answers) ?? 0;
  const dead = silent >= settings.silenceMs;
  const wasDead = since.recently('dead', dead, RECOVERY);

  const ofPipelines = pipelines.flatMap((pipeline) => findProblems(pipeline, now, settings).map((problem) => ({ problem, pipeline })));
  const findings: Finding[] = ofPipelines.map(({ problem, pipeline }) => ({
    key: problem.key,
    state: problem.state,
    alerts: problem.plan.alerts ?? USUAL_ALERTS,
    severity: problem.severity,
    waits: problem.kind !== 'failed' && problem.kind !== 'assert',
    line: `${problem.plan.dagId} ${problem.what}`,
    page: () => pageOf(problem, pipeline, facts, now),
  }));
  const others: Finding[] = [
    ...(dead ? [deadWorkers(taskQueue, now - silent, pipelines)] : []),
    // Without workers nobody knows how sensors stand.
    ...(answers ? findSensorTroubles(await facts.sensors(), plans, since, settings) : []),
    ...missingSchedules(memory.expected, plans, since, settings.graceMs),
    ...unexplainedPauses(pipelines, since, settings.graceMs),
  ];
  const { open, told } = await tell([...others, ...findings], memory.open, facts, {
    // Their cause is known, and has its own incident; many become well as soon as there are workers again.
    holdsBack: wasDead || !answers,
    storm: `${taskQueue}/storm/${iso(now)}`,
    now,
  });
  return {
    memory: { open, since: since.kept(), ...(memory.expected && { expected: memory.expected }) },
    report: [
      `${pipelines.filter(({ plan }) => isWatched(plan)).length} of ${pipelines.length} pipelines promise something; looked at ${time}`,
      dead ? `✘ no worker answers since ${iso(now - silent)}` : answers ? '✔ workers answer' : '… workers do not answer at the moment',
      ...[...others, ...findings].slice(0, 50).map(({ state, line }) => `${state === 'breach' ? '✘' : '!'} ${line}`),
      ...told,
    ],
  };
}

interface Rules {
  /** Whether new problems wait that dead workers explain. */
  readonly holdsBack: boolean;
  /** The incident of many problems that begin together. */
  readonly storm: string;
  readonly now: number;
}

/** Tells incidents what is new to them. @returns the problems that are open now, and what was told, a line each */
async function tell(
  findings: readonly Finding[],
  before: MonitorMemory['open'],
  facts: MonitorFacts,
  { holdsBack, storm, now }: Rules,
): Promise<{ open: Record<string, OpenProblem>; told: string[] }> {
  const open: Record<string, OpenProblem> = { ...before };
  const told: string[] = [];
  const observe = async (incident: string, observation: Observation): Promise<void> => {
    await facts.observe(incident, observation);
    told.push(`→ incident/${incident}: ${observation.state}`);
  };
  const news = findings.filter(({ key, state, waits }) =>
    before[key] ? before[key].state === 'warning' && state === 'breach' : !(holdsBack && waits),
  );
  const begun = news.filter(({ key, state }) => state === 'breach' && !before[key]);
  const together = begun.length >= STORM ? new Set(begun) : new Set<Finding>();
  if (together.size > 0) {
    await observe(storm, { state: 'breach', alerts: alertsOfAll([...together]), page: stormPage([...together], now) });
    for (const { key } of together) open[key] = { incident: storm, state: 'breach' };
  }
  await inTurns(
    news.filter((finding) => !together.has(finding)),
    AT_ONCE,
    async (finding) => {
      const incident = before[finding.key]?.incident ?? finding.key;
      await observe(incident, { state: finding.state, alerts: finding.alerts, page: await finding.page() });
      open[finding.key] = { incident, state: finding.state };
    },
  );
  const present = new Set(findings.map(({ key }) => key));
  const ended = Object.keys(before).filter((key) => !present.has(key));
  for (const key of ended) Reflect.deleteProperty(open, key);
  const left = new Set(Object.values(open).map(({ incident }) => incident));
  const over = new Set(ended.map((key) => before[key]?.incident ?? key).filter((incident) => !left.has(incident)));
  await inTurns([...over], AT_ONCE, (incident) => observe(incident, { state: 'over', alerts: {}, page: NO_PAGE }));
  return { open, told };
}

/** What an incident that is over is described by is what it was. */
const NO_PAGE: Page = { summary: '', severity: 'info', source: '', kind: '', since: '', details: {}, links: [] };

function stormPage(findings: readonly Finding[], now: number): Page {
  const worst = (['critical', 'error', 'warning', 'info'] as const).find((severity) => findings.some((each) => each.severity === severity));
  const [first] = findings;
  return {
    summary: `${findings.length} problems began together: ${first?.line ?? ''}, and ${findings.length - 1} more. Look for one cause.`,
    severity: worst ?? 'error',
    source: 'sluice',
    kind: 'storm',
    since: iso(now),
    details: {
      problems: findings.map(({ line }) => line),
      what_to_do: 'Look for what they have in common: a database, a network, a deployment.',
    },
    links: [],
  };
}

/** Everybody whom one of them would have told. */
function alertsOfAll(findings: readonly Finding[]): AlertsPlan {
  return Object.assign({}, ...findings.map(({ alerts }) => alerts)) as AlertsPlan;
}

function deadWorkers(taskQueue: string, since: number, pipelines: readonly WatchedPipeline[]): Finding {
  const running = pipelines.flatMap(({ plan, runs }) => (runs.some(({ endedAt }) => endedAt === undefined) ? [plan.dagId] : []));
  const line = `no worker answers on task queue ${taskQueue} since ${iso(since)}: nothing runs`;
  return {
    key: `workers/${taskQueue}`,
    state: 'breach',
    alerts: USUAL_ALERTS,
    severity: 'critical',
    waits: false,
    line,
    page: () =>
      Promise.resolve({
        summary: `Sluice: ${line}`,
        severity: 'critical',
        source: taskQueue,
        kind: 'dead_workers',
        since: iso(since),
        details: {
          pipelines_with_open_runs: running,
          what_it_means: 'Runs stand still; none is lost. They go on by themselves when there is a worker again.',
          what_to_do: 'Start workers (`npm run worker`), or find out why they do not reach Temporal: `sluice doctor`.',
        },
        links: [],
      }),
  };
}

function missingSchedules(
  expected: readonly string[] | undefined,
  plans: ReadonlyMap<string, Plan>,
  since: Since,
  patience: number,
): Finding[] {
  return (expected ?? []).flatMap((dagId): Finding[] => {
    const key = `schedule/${dagId}`;
    const lasting = since.lasting(key, !plans.has(dagId));
    if (lasting === undefined || lasting < patience) return [];
    return [
      findingOf(key, undefined, {
        line: `${dagId} has no schedule in Temporal any more, and its file is there: its runs do not start`,
        kind: 'missing_schedule',
        source: dagId,
        severity: 'error',
        since: since.began(key),
        whatToDo: 'Start the scheduler, which makes it anew: `npm run scheduler -- --watch`.',
      }),
    ];
  });
}

/** Pipelines that promise something, paused by somebody who has not told Sluice: their runs stay away, and nobody knows why. */
function unexplainedPauses(pipelines: readonly WatchedPipeline[], since: Since, patience: number): Finding[] {
  return pipelines.flatMap(({ plan, paused, note = '' }): Finding[] => {
    const key = `paused/${plan.dagId}`;
    const lasting = since.lasting(key, paused && isWatched(plan) && !note.startsWith(PAUSED_BY));
    if (lasting === undefined || lasting < patience) return [];
    return [
      findingOf(key, plan.alerts, {
        line: `${plan.dagId} is paused, and not by \`sluice pause\`: its runs do not start${note === '' ? '' : ` (noted: ${note})`}`,
        kind: 'unexpected_pause',
        source: plan.dagId,
        severity: plan.critical ? 'critical' : 'error',
        since: since.began(key),
        whatToDo: `\`sluice unpause ${plan.dagId}\`; or, if it is meant, \`sluice pause ${plan.dagId} --reason "..."\`.`,
      }),
    ];
  });
}
