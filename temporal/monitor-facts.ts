import type { Client } from '@temporalio/client';
import type { Environment } from '../lib/environment.ts';
import type { MonitorFacts, RunDetails, SensorFacts } from '../monitors/facts.ts';
import type { WatchedPipeline, WatchedRun } from '../monitors/watched.ts';
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
import type { JsonObject } from '../workflows/plan/json.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { type DataInterval, dataIntervalAt, iso, tickAfter } from '../workflows/plan/schedule.ts';
import { watchedFor } from '../workflows/plan/sla.ts';
import { showRun } from './follow-run.ts';
import { LastEnds } from './last-ends.ts';
import { PromiseReader } from './promise-reader.ts';
import { type KnownRun, RunIndex } from './run-index.ts';
import { ScheduleIndex } from './schedule-index.ts';
import { searchAttribute } from './search-attributes.ts';
import { listSensors } from './sensors.ts';
import { runUrl } from './web-ui.ts';

/** A worker that is there answers in milliseconds. */
const PROBE_WITHIN = 4_000;

/** What monitors see of a deployment: its pipelines with their runs, its workers and its sensors. */
export class TemporalFacts implements MonitorFacts {
  private readonly schedules: ScheduleIndex;
  private readonly runs: RunIndex;
  private readonly lastEnds: LastEnds;
  private readonly promises: PromiseReader;

  /** @param onChange is told of an edit of a pipeline that was known before */
  constructor(
    private readonly client: Client,
    private readonly taskQueue: string,
    private readonly environment: Environment,
    onChange: (before: Plan, after: Plan) => void = () => undefined,
  ) {
    this.schedules = new ScheduleIndex(client, taskQueue, onChange);
    this.runs = new RunIndex(client);
    this.lastEnds = new LastEnds(client, this.runs);
    this.promises = new PromiseReader(client);
  }

  async pipelines(now: number, remembered: readonly string[]): Promise<WatchedPipeline[]> {
    await this.schedules.refresh(now);
    await this.runs.refresh(now);
    await this.schedules.meet(new Set(this.runs.byPipeline().keys()), now);
    const { pipelines } = this.schedules;
    for (const [dagId, { plan }] of pipelines) await this.runs.keepFor(dagId, watchedFor(plan.slas), now);
    await this.runs.remember(remembered, pipelines);
    this.runs.forget(now, remembered);
    const byPipeline = this.runs.byPipeline();
    const found: WatchedPipeline[] = [];
    for (const [dagId, { plan, createdAt, paused, note }] of pipelines) {
      const runs: WatchedRun[] = [];
      for (const known of byPipeline.get(dagId) ?? []) runs.push(await this.watched(known, plan, now));
      const lastSuccess = await this.lastEnds.success(plan, runs);
      const updates = await this.lastEnds.updates(plan);
      found.push({ plan, createdAt, paused, note, runs, updates, ...(lastSuccess !== undefined && { lastSuccess }) });
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
        rate: sum(({ rate }) => rate),
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

  /** A run with what its own plan promises. */
  private async watched({ planHash, begun, run }: KnownRun, current: Plan, now: number): Promise<WatchedRun> {
    const plan = await this.schedules.planOf(run, planHash, current);
    return {
      ...run,
      begun: begun !== false,
      ...(run.interval === undefined && plan.schedule && run.cause === 'scheduled' ? intervalOfTick(run, plan) : {}),
      plan,
      ...(await this.promises.read(run, plan, now)),
    };
  }
}

/** A scheduled run that no worker has begun does not say its interval yet; its id says the tick. */
function intervalOfTick({ pipelineRunId }: KnownRun['run'], { schedule }: Plan): { readonly interval?: DataInterval } {
  const tick = /\/scheduled-(.+)$/.exec(pipelineRunId)?.[1];
  if (tick === undefined || !schedule || Number.isNaN(Date.parse(tick))) return {};
  return { interval: dataIntervalAt(schedule, Date.parse(tick)) };
}
