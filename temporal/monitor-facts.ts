import { type Client, type WorkflowExecutionInfo } from '@temporalio/client';
import type { MonitorFacts, RunDetails, SensorFacts } from '../monitors/facts.ts';
import type { WatchedPipeline, WatchedRun, WatchedTask } from '../monitors/watched.ts';
import type { Environment } from '../lib/environment.ts';
import { Evaluator, ExpressionFailed } from '../workflows/plan/expressions/evaluator.ts';
import {
  incidentId,
  INCIDENT_WORKFLOW,
  type IncidentInput,
  monitorQueue,
  type Observation,
  OBSERVE,
  PROBE_QUERY,
  probeId,
} from '../workflows/plan/incident.ts';
import type { Json, JsonObject } from '../workflows/plan/json.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { isUnderWay } from '../workflows/plan/run.ts';
import { type DataInterval, dataIntervalAt, iso, tickAfter } from '../workflows/plan/schedule.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/plan/search-attributes.ts';
import type { SlaPlan } from '../workflows/plan/sla.ts';
import { showRun } from './follow-run.ts';
import { summaryOf } from './runs.ts';
import { listSchedules } from './schedules.ts';
import { searchAttribute } from './search-attributes.ts';
import { listSensors } from './sensors.ts';
import { TaskInstances } from './task-instances.ts';
import { NotScheduled, scheduleOf } from './ticks.ts';
import { runUrl } from './web-ui.ts';

/** Schedules are listed so often, in milliseconds; runs at each look. */
const SCHEDULES_EVERY = 15_000;
/** So long runs are kept that have ended, in milliseconds. */
const KEPT = 5 * 86_400_000;
/** What happened so long before the last look is asked for again: the server's index is a moment behind. Milliseconds. */
const OVERLAP = 30_000;
/** A worker that is there answers in milliseconds. */
const PROBE_WITHIN = 4_000;
const PAGE_SIZE = 1_000;
/** In one look so many runs at most are asked whether they have begun: about a second. */
const MOST_ASKED = 500;

/** A run as it is kept: what lists say, and what was found out once. */
interface KnownRun {
  readonly dagId: string;
  readonly planHash: string;
  /** Whether a worker has begun it; undefined until the run itself was asked. */
  readonly begun: boolean | undefined;
  readonly run: Omit<WatchedRun, 'plan' | 'startedAt' | 'begun'>;
}

interface KnownSchedule {
  readonly plan: Plan;
  readonly createdAt: number;
}

/**
 * What monitors see of a deployment. Runs are kept in memory and brought up to date by what has started and ended since the last look, so that
 * a look costs a few requests whatever the number of pipelines; all of it can be read again from the server.
 */
export class TemporalFacts implements MonitorFacts {
  private readonly runs = new Map<string, KnownRun>();
  private readonly plans = new Map<string, Plan>();
  private readonly schedules = new Map<string, KnownSchedule>();
  private paused = new Set<string>();
  private listedAt = -Infinity;
  /** Pipelines that have runs in the namespace, and are no part of this deployment. */
  private foreign = new Set<string>();
  private seenUntil: number | undefined;
  private readonly successes = new Map<string, number>();
  /** When data sets were last made, by URI; 0: never, as far as the server knows. Only those are asked for that somebody promises. */
  private readonly updates = new Map<string, number>();
  private readonly started = new Map<string, number>();
  private readonly broken = new Map<string, ReadonlyMap<string, string>>();
  private readonly evaluators = new WeakMap<Plan, Evaluator>();

  /** @param onChange is told of an edit of a pipeline that was known before */
  constructor(
    private readonly client: Client,
    private readonly taskQueue: string,
    private readonly environment: Environment,
    private readonly onChange: (before: Plan, after: Plan) => void = () => undefined,
  ) {}

  async pipelines(now: number, remembered: readonly string[]): Promise<WatchedPipeline[]> {
    if (now - this.listedAt >= SCHEDULES_EVERY || now < this.listedAt) await this.listSchedules(now);
    await this.listRuns(now);
    await this.listNewcomers(now);
    await this.remember(remembered);
    this.forget(now, remembered);
    const byPipeline = new Map<string, KnownRun[]>();
    for (const known of this.runs.values()) byPipeline.set(known.dagId, [...(byPipeline.get(known.dagId) ?? []), known]);
    const found: WatchedPipeline[] = [];
    for (const [dagId, { plan, createdAt }] of this.schedules) {
      const runs: WatchedRun[] = [];
      for (const known of byPipeline.get(dagId) ?? []) runs.push(await this.watched(known, plan, now));
      const lastSuccess = await this.lastSuccess(plan, runs);
      const updates = await this.updatesOf(plan);
      const paused = this.paused.has(dagId);
      found.push({ plan, createdAt, paused, runs, ...(lastSuccess !== undefined && { lastSuccess }), ...(updates && { updates }) });
    }
    return found;
  }

  async workersAnswer(): Promise<boolean> {
    try {
      const handle = this.client.workflow.getHandle(probeId(this.taskQueue));
      return await this.client.withDeadline(Date.now() + PROBE_WITHIN, () => handle.query<boolean>(PROBE_QUERY));
    } catch {
      // Whether it is the workers or the server: if it is the server, the rest of the look fails too.
      return false;
    }
  }

  async sensors(): Promise<SensorFacts[]> {
    return (await listSensors(this.client, this.taskQueue)).map(({ id, state }) => {
      const reports = state?.reports ?? [];
      const problem = reports.find((report) => report.problem !== undefined)?.problem;
      const sum = (of: (report: (typeof reports)[number]) => number): number => reports.reduce((total, report) => total + of(report), 0);
      return {
        id,
        dagId: id.split('/')[1] ?? '',
        ...(state && { state: state.state }),
        ...(state?.why !== undefined && { why: state.why }),
        ...(problem !== undefined && { problem }),
        events: sum(({ counts }) => counts.events),
        lag: sum(({ lag = 0 }) => lag),
        lost: sum(({ counts }) => counts.lost),
      };
    });
  }

  async runDetails({ pipelineRunId, temporalRunId }: WatchedRun): Promise<RunDetails> {
    const { instances, error } = await showRun(this.client, { pipelineRunId, temporalRunId });
    const failed = instances.all().find(({ state }) => state === 'failed');
    const rows = instances.all().flatMap(({ task, output }): [string, number][] => {
      const count = typeof output === 'object' && output !== null && !Array.isArray(output) ? (output as JsonObject).rows : undefined;
      return typeof count === 'number' ? [[task, count]] : [];
    });
    return {
      ...(error !== undefined && { error }),
      ...(failed && { failed: { task: failed.task, attempt: failed.attempt, ...(failed.error !== undefined && { error: failed.error }) } }),
      rows: Object.fromEntries(rows),
    };
  }

  nextTick({ schedule }: Plan, now: number): string | undefined {
    const tick = schedule ? tickAfter(schedule, now) : undefined;
    return tick === undefined ? undefined : iso(tick);
  }

  async observe(incident: string, observation: Observation): Promise<void> {
    const input: IncidentInput = { key: incident };
    await this.client.workflow.signalWithStart(INCIDENT_WORKFLOW, {
      workflowId: incidentId(incident),
      taskQueue: monitorQueue(this.taskQueue),
      args: [input],
      signal: OBSERVE,
      signalArgs: [observation],
      staticSummary: incident,
      typedSearchAttributes: [searchAttribute('queue', this.taskQueue), searchAttribute('state', 'open')],
    });
  }

  urlOf(run: Pick<WatchedRun, 'pipelineRunId' | 'temporalRunId'>): string | undefined {
    return runUrl(this.environment, this.client.options.namespace, run);
  }

  private async listSchedules(now: number): Promise<void> {
    const listed = await listSchedules(this.client, this.taskQueue);
    const ids = new Set(listed.map(({ dagId }) => dagId));
    for (const dagId of this.schedules.keys()) if (!ids.has(dagId)) this.schedules.delete(dagId);
    this.paused = new Set(listed.filter(({ paused }) => paused).map(({ dagId }) => dagId));
    await inTurns(listed, async ({ dagId, planHash }) => {
      const known = this.schedules.get(dagId);
      // The hash of what is applied says more than the plan's own where a spec has to be renewed.
      if (known && planHash.startsWith(known.plan.hash)) return;
      try {
        const { plan, createdAt } = await scheduleOf(this.client, dagId);
        if (known && known.plan.hash !== plan.hash) this.onChange(known.plan, plan);
        this.schedules.set(dagId, { plan, createdAt });
        this.plans.set(plan.hash, plan);
      } catch (error) {
        if (!(error instanceof NotScheduled)) throw error;
        this.schedules.delete(dagId);
      }
    });
    this.listedAt = now;
  }

  /** A run of a pipeline that is not known yet: it was applied a moment ago. */
  private async listNewcomers(now: number): Promise<void> {
    const unknown = (): string[] => [...this.runs.values()].flatMap(({ dagId }) => (this.schedules.has(dagId) ? [] : [dagId]));
    if (unknown().every((dagId) => this.foreign.has(dagId))) return;
    await this.listSchedules(now);
    this.foreign = new Set(unknown());
  }

  /** Brings the runs up to date. */
  private async listRuns(now: number): Promise<void> {
    const { pipeline, state } = SEARCH_ATTRIBUTES;
    const ours = `${pipeline.name} IS NOT NULL`;
    const since = iso((this.seenUntil ?? now - KEPT) - OVERLAP);
    const queries = [
      ...(this.seenUntil === undefined ? [`${ours} AND ExecutionStatus = "Running"`] : [`${ours} AND StartTime >= "${since}"`]),
      `${ours} AND CloseTime >= "${since}"`,
    ];
    for (const query of queries) {
      for await (const info of this.client.workflow.list({ query, pageSize: PAGE_SIZE })) this.take(info);
    }
    // Runs that wait for their turn go on without an event that lists could be asked for.
    const waiting = [...this.runs.values()].filter(({ run }) => run.state === 'queued' || run.state === 'paused');
    if (waiting.length > 0) {
      const still = new Map<string, string>();
      for (const word of ['queued', 'paused']) {
        const query = `${state.name} = "${word}" AND ExecutionStatus = "Running"`;
        for await (const { workflowId } of this.client.workflow.list({ query, pageSize: PAGE_SIZE })) still.set(workflowId, word);
      }
      for (const known of waiting) {
        if (this.runs.get(keyOf(known)) !== known || known.run.endedAt !== undefined) continue;
        this.runs.set(keyOf(known), { ...known, run: { ...known.run, state: still.get(known.run.pipelineRunId) ?? 'running' } });
      }
    }
    // So do those that no worker had begun. Lists say how long a history was when its run was listed first: each run is asked itself, once.
    const notBegun = [...this.runs.values()]
      .filter(({ run, begun }) => begun !== true && run.endedAt === undefined && now - run.queuedAt > 10_000)
      .slice(0, MOST_ASKED);
    await inTurns(notBegun, async ({ run }) => {
      this.take(await this.client.workflow.getHandle(run.pipelineRunId, run.temporalRunId).describe(), true);
    });
    this.seenUntil = now;
  }

  /** @param asked whether the run itself was asked: only then it is known that no worker has begun it */
  private take(info: Omit<WorkflowExecutionInfo, 'rootExecution' | 'raw'>, asked = false): void {
    const { pipelineRunId, temporalRunId, dagId, cause, state, startedAt, endedAt } = summaryOf(info);
    const attribute = (name: keyof typeof SEARCH_ATTRIBUTES): unknown =>
      info.typedSearchAttributes.getAll().find(({ key }) => key.name === SEARCH_ATTRIBUTES[name].name)?.value;
    const [start, end] = [attribute('interval'), attribute('intervalEnd')];
    const hasBegun = info.historyLength > 2 || endedAt !== undefined;
    if (endedAt) this.noteUpdates(attribute('datasets'), endedAt.getTime());
    const known: Omit<KnownRun, 'begun'> = {
      dagId,
      planHash: String(attribute('planHash') ?? ''),
      run: {
        pipelineRunId,
        temporalRunId,
        cause,
        state,
        queuedAt: startedAt.getTime(),
        ...(start instanceof Date && end instanceof Date && { interval: { start: iso(start.getTime()), end: iso(end.getTime()) } }),
        ...(endedAt && { endedAt: endedAt.getTime() }),
      },
    };
    const key = keyOf(known);
    const before = this.runs.get(key);
    // What has ended does not begin again, whatever an index says that is behind.
    if (before?.run.endedAt !== undefined && known.run.endedAt === undefined) return;
    const begun = hasBegun || (asked ? false : before?.begun);
    this.runs.set(key, { ...known, begun });
  }

  /** Reads the runs of open problems that are older than what is kept. */
  private async remember(keys: readonly string[]): Promise<void> {
    const { pipeline, interval } = SEARCH_ATTRIBUTES;
    for (const key of keys) {
      const [dagId = '', , ...subject] = key.split('/');
      const what = subject.join('/');
      if (!this.schedules.has(dagId) || what === '' || what === 'freshness') continue;
      const has = [...this.runs.values()].some(
        ({ dagId: of, run }) => of === dagId && (run.interval?.start === what || run.pipelineRunId === `${dagId}/${what}`),
      );
      if (has) continue;
      const from = Date.parse(what);
      const query = Number.isNaN(from)
        ? `WorkflowId = ${JSON.stringify(`${dagId}/${what}`)}`
        : `${pipeline.name} = ${JSON.stringify(dagId)} AND ${interval.name} >= "${iso(from)}" AND ${interval.name} < "${iso(from + 1_000)}"`;
      for await (const info of this.client.workflow.list({ query })) this.take(info);
    }
  }

  private forget(now: number, remembered: readonly string[]): void {
    for (const [key, { dagId, run }] of this.runs) {
      if (run.endedAt === undefined || now - run.endedAt < KEPT) continue;
      const ofProblem = remembered.some(
        (problem) =>
          problem.startsWith(`${dagId}/`) &&
          (problem.endsWith(`/${run.interval?.start}`) || problem.endsWith(run.pipelineRunId.slice(dagId.length))),
      );
      if (!ofProblem) this.runs.delete(key);
    }
  }

  /** A run with what its own plan promises. */
  private async watched({ planHash, begun, run }: KnownRun, current: Plan, now: number): Promise<WatchedRun> {
    const plan = planHash === current.hash || planHash === '' ? current : await this.planOf(planHash, run, current);
    const slas = plan.slas ?? [];
    const startedAt = await this.startOf(run, plan, slas);
    const broken =
      run.state === 'success' && slas.some(({ promise }) => promise.kind === 'assert') ? await this.brokenPromises(run, plan) : undefined;
    const tasks = isUnderWay(run.state) && slas.some(({ task }) => task !== undefined) ? await this.tasksOf(run, slas, now) : undefined;
    return {
      ...run,
      begun: begun !== false,
      ...(run.interval === undefined && plan.schedule && run.cause === 'scheduled' ? intervalOfTick(run, plan) : {}),
      plan,
      ...(startedAt !== undefined && { startedAt }),
      ...(broken && { broken }),
      ...(tasks && { tasks }),
    };
  }

  private async planOf(hash: string, run: KnownRun['run'], otherwise: Plan): Promise<Plan> {
    const known = this.plans.get(hash);
    if (known) return known;
    const { history } = await this.client.workflowService.getWorkflowExecutionHistory({
      namespace: this.client.options.namespace,
      execution: { workflowId: run.pipelineRunId, runId: run.temporalRunId },
      maximumPageSize: 1,
    });
    const instances = new TaskInstances();
    for (const event of history?.events ?? []) instances.add(event);
    const plan = instances.input?.plan ?? otherwise;
    this.plans.set(hash, plan);
    return plan;
  }

  /** When a run began to run; the time that it waited for its turn is not counted. */
  private async startOf(run: KnownRun['run'], plan: Plan, slas: readonly SlaPlan[]): Promise<number | undefined> {
    if (run.state === 'queued') return undefined;
    const waits = plan.maxActiveRuns !== undefined || plan.concurrency !== undefined;
    const asks = slas.some(({ promise }) => promise.kind === 'within' && promise.reference === 'started_at');
    if (!waits || !asks || run.endedAt !== undefined) return run.queuedAt;
    const known = this.started.get(run.temporalRunId);
    if (known !== undefined) return known;
    const { instances } = await showRun(this.client, run);
    const times = instances.all().flatMap(({ startedAt }) => startedAt?.getTime() ?? []);
    if (times.length === 0) return run.queuedAt;
    const first = Math.min(...times);
    this.started.set(run.temporalRunId, first);
    return first;
  }

  /** The conditions that a run's outputs do not meet. */
  private async brokenPromises(run: KnownRun['run'], plan: Plan): Promise<ReadonlyMap<string, string>> {
    const known = this.broken.get(run.temporalRunId);
    if (known) return known;
    const { instances } = await showRun(this.client, run);
    const outputs: Record<string, Json> = {};
    for (const { task, output } of instances.all()) {
      if (output === undefined) continue;
      const [first = '', member] = task.split('.');
      outputs[first] = member === undefined ? output : { ...(outputs[first] as JsonObject | undefined), [member]: output };
    }
    let evaluator = this.evaluators.get(plan);
    if (!evaluator) this.evaluators.set(plan, (evaluator = new Evaluator(plan.shapes)));
    const broken = new Map<string, string>();
    for (const { name, promise } of plan.slas ?? []) {
      if (promise.kind !== 'assert') continue;
      try {
        const holds = evaluator.test(promise.condition, { outputs, dag_id: plan.dagId, params: instances.input?.params ?? {} });
        if (!holds) broken.set(name, `does not keep its promise ${name}: ${promise.condition}${valuesIn(promise.condition, outputs)}`);
      } catch (error) {
        if (!(error instanceof ExpressionFailed)) throw error;
        broken.set(name, `does not say whether it keeps its promise ${name}: ${error.message}`);
      }
    }
    this.broken.set(run.temporalRunId, broken);
    return broken;
  }

  private async tasksOf(run: KnownRun['run'], slas: readonly SlaPlan[], now: number): Promise<WatchedTask[] | undefined> {
    // Before the first of them could be late nobody need look.
    const soonest = Math.min(
      ...slas.map(({ task, promise }) => (task === undefined ? Infinity : promise.kind === 'within' ? promise.ms / 2 : 0)),
    );
    if (now < run.queuedAt + soonest) return undefined;
    const { instances } = await showRun(this.client, run);
    return instances.all().map(({ task, startedAt, endedAt, state }) => ({
      task,
      ...(startedAt && { startedAt: startedAt.getTime() }),
      hasEnded: endedAt !== undefined || state === 'skipped',
    }));
  }

  private async lastSuccess({ dagId, slas = [], critical, alerts }: Plan, runs: readonly WatchedRun[]): Promise<number | undefined> {
    if (slas.length === 0 && !critical && !alerts) return undefined;
    const ends = runs.flatMap(({ state, endedAt }) => (state === 'success' && endedAt !== undefined ? [endedAt] : []));
    const newest = Math.max(this.successes.get(dagId) ?? 0, ...ends);
    if (newest > 0) {
      this.successes.set(dagId, newest);
      return newest;
    }
    if (this.successes.has(dagId)) return undefined;
    const found = await this.lastEnd('pipeline', dagId);
    this.successes.set(dagId, found);
    return found === 0 ? undefined : found;
  }

  /** When the data sets that a plan promises something of were last made. */
  private async updatesOf({ slas = [] }: Plan): Promise<ReadonlyMap<string, number> | undefined> {
    const uris = slas.flatMap(({ dataset }) => dataset ?? []);
    if (uris.length === 0) return undefined;
    for (const uri of uris) {
      if (!this.updates.has(uri)) this.updates.set(uri, await this.lastEnd('datasets', uri));
    }
    return new Map(uris.flatMap((uri): [string, number][] => (this.updates.get(uri) ? [[uri, this.updates.get(uri) ?? 0]] : [])));
  }

  /** What a run has made that ended at such a time. */
  private noteUpdates(datasets: unknown, endedAt: number): void {
    for (const uri of Array.isArray(datasets) ? (datasets as string[]) : []) {
      const known = this.updates.get(uri);
      if (known !== undefined) this.updates.set(uri, Math.max(known, endedAt));
    }
  }

  /** When the last run of a pipeline, or that made a data set, has succeeded; 0: the server knows of none. */
  private async lastEnd(by: 'pipeline' | 'datasets', value: string): Promise<number> {
    const query = `${SEARCH_ATTRIBUTES[by].name} = ${JSON.stringify(value)} AND ExecutionStatus = "Completed"`;
    for await (const { closeTime } of this.client.workflow.list({ query, pageSize: 1 })) return closeTime?.getTime() ?? 0;
    return 0;
  }
}

function keyOf({ run }: Pick<KnownRun, 'run'>): string {
  return `${run.pipelineRunId}\n${run.temporalRunId}`;
}

/** A scheduled run that no worker has begun does not say its interval yet; its id says the tick. */
function intervalOfTick({ pipelineRunId }: KnownRun['run'], { schedule }: Plan): { readonly interval?: DataInterval } {
  const tick = /\/scheduled-(.+)$/.exec(pipelineRunId)?.[1];
  if (tick === undefined || !schedule || Number.isNaN(Date.parse(tick))) return {};
  return { interval: dataIntervalAt(schedule, Date.parse(tick)) };
}

/** The values that a condition names, for people: `outputs.a.rows is 3`. */
function valuesIn(condition: string, outputs: Readonly<Record<string, Json>>): string {
  const found = [...new Set(condition.match(/outputs(?:\.[A-Za-z_][A-Za-z0-9_]*)+/g) ?? [])].flatMap((path) => {
    let value: Json | undefined = outputs;
    for (const part of path.split('.').slice(1)) {
      value = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject)[part] : undefined;
    }
    return value === undefined || typeof value === 'object' ? [] : [`${path} is ${String(value)}`];
  });
  return found.length === 0 ? '' : `; ${found.join(', ')}`;
}

const AT_ONCE = 10;

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += AT_ONCE) await Promise.all(items.slice(from, from + AT_ONCE).map(work));
}
