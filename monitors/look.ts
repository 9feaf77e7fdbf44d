import { inTurns } from '../lib/in-turns.ts';
import { formatDuration } from '../workflows/plan/duration.ts';
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
import type { AlertsPlan, Severity } from '../workflows/plan/sla.ts';
import type { MonitorFacts, SensorFacts } from './facts.ts';
import { pageOf } from './page.ts';
import { findProblems, isWatched } from './problems.ts';
import type { WatchedPipeline } from './watched.ts';

/** Who is told where a pipeline does not say it, and of what is not about one pipeline. */
export const USUAL_ALERTS: AlertsPlan = { pagerduty: { connection: 'pagerduty_default' } };

/** So many new problems at once are one incident: they have one cause. */
const STORM = 20;
/** What began while no worker was there gets so long afterwards to become well by itself. Milliseconds. */
const RECOVERY = 300_000;

/** So many incidents are told at the same time. */
const AT_ONCE = 20;

/** A loss cannot be put right: its incident ends by itself after so many milliseconds. */
const TOLD_OF_LOSS = 3_600_000;

/** Something that is wrong now, whatever it is about. */
interface Finding {
  readonly key: string;
  readonly state: 'warning' | 'breach';
  readonly alerts: AlertsPlan;
  /** Whether dead workers explain it. */
  readonly waits: boolean;
  /** In a line, for lists. */
  readonly line: string;
  readonly severity: Severity;
  page(): Promise<Page>;
}

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
    ...(await sensorFindings(await facts.sensors(), plans, since, settings.sensorMs, answers)),
    ...missingSchedules(memory.expected, plans, since, settings.graceMs),
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
          what_to_do: 'Start workers (`npx tsx worker.ts`), or find out why they do not reach Temporal: `sluice doctor`.',
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
    const lasting = since.lasting(`schedule/${dagId}`, !plans.has(dagId));
    if (lasting === undefined || lasting < patience) return [];
    const line = `${dagId} has no schedule in Temporal any more, and its file is there: its runs do not start`;
    return [
      {
        key: `schedule/${dagId}`,
        state: 'breach',
        alerts: USUAL_ALERTS,
        severity: 'error',
        waits: false,
        line,
        page: () =>
          Promise.resolve(simplePage(line, 'missing_schedule', dagId, 'Start the scheduler, which makes it anew: `npx tsx scheduler.ts`.')),
      },
    ];
  });
}

async function sensorFindings(
  sensors: readonly SensorFacts[],
  plans: ReadonlyMap<string, Plan>,
  since: Since,
  patience: number,
  answers: boolean,
): Promise<Finding[]> {
  return Promise.resolve(
    sensors.flatMap(({ id, dagId, state, why, problem, events, lag, lost }): Finding[] => {
      const alerts = plans.get(dagId)?.alerts ?? USUAL_ALERTS;
      const make = (name: string, line: string, what: string): Finding => ({
        key: `${id}/${name}`,
        state: 'breach',
        alerts,
        severity: plans.get(dagId)?.critical ? 'critical' : 'error',
        waits: false,
        line,
        page: () => Promise.resolve(simplePage(line, `sensor_${name}`, dagId, what)),
      });
      if (!answers || state === undefined || state === 'paused') return [];
      const name = id.replace(/^sensor\//, '');
      const inTheWay = since.lasting(`${id}/trouble`, problem !== undefined) ?? 0;
      // It has something to read, and reads nothing.
      const standing = since.lasting(`${id}/standing/${events}`, lag > 0) ?? 0;
      return [
        ...(state === 'stopped'
          ? [
              make(
                'stopped',
                `the sensor ${name} has stopped: ${why ?? 'it does not say why'}`,
                `Put it right, then \`sluice sensors resume ${name}\`.`,
              ),
            ]
          : []),
        ...(inTheWay >= patience
          ? [make('trouble', `the sensor ${name} is held up: ${problem ?? ''}`, 'It goes on by itself when that is over.')]
          : []),
        ...(standing >= patience && inTheWay < patience
          ? [
              make(
                'stalled',
                `the sensor ${name} stands still, ${lag} events behind, for ${formatDuration(patience)}`,
                'Look at its workers and its source.',
              ),
            ]
          : []),
        ...(lost > 0 && (since.lasting(`${id}/lost/${lost}`, true) ?? 0) < TOLD_OF_LOSS
          ? [
              make(
                'lost',
                `the sensor ${name} has lost ${lost} events: their source had removed them before they were read`,
                'Keep events for longer at the source; `sluice sensors reset` begins elsewhere.',
              ),
            ]
          : []),
      ];
    }),
  );
}

function simplePage(line: string, kind: string, source: string, what: string): Page {
  return { summary: `Sluice: ${line}`, severity: 'error', source, kind, since: '', details: { what_to_do: what }, links: [] };
}

/** Since when things are as they are. */
class Since {
  private readonly next: Record<string, string> = {};

  constructor(
    private readonly before: Readonly<Record<string, string>>,
    private readonly now: number,
  ) {}

  /** For how many milliseconds something is so; undefined when it is not. */
  lasting(key: string, isSo: boolean): number | undefined {
    if (!isSo) return undefined;
    const began = this.before[key] ?? iso(this.now);
    this.next[key] = began;
    return this.now - Date.parse(began);
  }

  /** Whether something is so, or was within the last `ms`. */
  recently(key: string, isSo: boolean, ms: number): boolean {
    const last = isSo ? iso(this.now) : this.before[key];
    if (last === undefined || this.now - Date.parse(last) > ms) return false;
    this.next[key] = last;
    return true;
  }

  kept(): Record<string, string> {
    return this.next;
  }
}
