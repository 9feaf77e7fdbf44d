import type { Client } from '@temporalio/client';
import type { Environment } from '../../lib/environment.ts';
import type { Checked, LastSuccess, MonitorFacts, RunDetails, SensorFacts } from '../../monitors/facts.ts';
import type { WatchedConnector } from '../../monitors/connectors/watched-connector.ts';
import type { WatchedPipeline, WatchedRun } from '../../monitors/watched.ts';
import type { Observation } from '../../workflows/plan/incidents/incident.ts';
import { tickOf } from '../../workflows/plan/ids.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { type DataInterval, dataIntervalAt, iso, tickAfter } from '../../workflows/plan/timetable/schedule.ts';
import { MAX_SLAS, watchedFor } from '../../workflows/plan/incidents/sla.ts';
import { NoAnswer } from '../answer.ts';
import { askWorkers } from './probe.ts';
import { ConnectorIndex } from './connector-index.ts';
import { IncidentSignals } from './incident-signals.ts';
import { LastEnds } from '../runs/last-ends.ts';
import { SlaReader } from './sla-reader.ts';
import { readLastSuccess, readRunDetails } from '../runs/run-details.ts';
import { RunIndex } from '../runs/run-index.ts';
import type { KnownRun } from '../runs/known-run.ts';
import { Retention } from '../retention.ts';
import { type KnownPipeline, ScheduleIndex } from '../schedules/schedule-index.ts';
import { sensorFacts } from '../sensors/sensor-facts.ts';
import { listRunningSensors, statusOf as sensorStatusOf } from '../sensors/sensors.ts';
import { isGone, isOutage, Unchecked } from '../unchecked.ts';
import { runsUrl, runUrl } from '../web-ui.ts';

/** Collects what monitors check in a deployment: pipelines with their runs, workers and sensors. */
export class TemporalFacts implements MonitorFacts {
  private readonly schedules: ScheduleIndex;
  private readonly runs: RunIndex;
  private readonly lastEnds: LastEnds;
  private readonly slas: SlaReader;
  private readonly retention: Retention;
  private readonly incidents: IncidentSignals;
  private readonly applied: ConnectorIndex;

  /** @param onChange called when a known pipeline is edited */
  constructor(
    private readonly client: Client,
    private readonly taskQueue: string,
    private readonly environment: Environment,
    onChange: (before: Plan, after: Plan) => void = () => undefined,
  ) {
    this.schedules = new ScheduleIndex(client, taskQueue, onChange);
    this.runs = new RunIndex(client, undefined, taskQueue);
    this.lastEnds = new LastEnds(client, this.runs, taskQueue);
    this.slas = new SlaReader(client);
    this.retention = new Retention(client);
    this.incidents = new IncidentSignals(client, taskQueue);
    this.applied = new ConnectorIndex(client, taskQueue);
  }

  async pipelines(now: number, remembered: readonly string[]): Promise<Checked<WatchedPipeline[]>> {
    const unchecked = new Unchecked();
    await this.schedules.refresh(now, unchecked);
    await this.runs.refresh(now, unchecked);
    await this.schedules.meet(new Set(this.runs.byPipeline().keys()), now);
    const keptSince = await this.retention.keptSince(now);
    const { pipelines } = this.schedules;
    for (const [dagId, { plan }] of pipelines) await unchecked.guard(dagId, () => this.runs.keepFor(dagId, watchedFor(plan.slas), now));
    await this.runs.remember(remembered, pipelines, unchecked);
    this.runs.forget(now, remembered);
    const byPipeline = this.runs.byPipeline();
    const found: WatchedPipeline[] = [];
    for (const [dagId, known] of pipelines) {
      const pipeline = await unchecked.guard(dagId, () => this.pipeline(known, byPipeline.get(dagId) ?? [], now, unchecked));
      if (pipeline) found.push({ ...pipeline, ...(keptSince !== undefined && { keptSince }) });
    }
    this.slas.forget(byPipeline);
    return { found, unchecked: unchecked.reasons };
  }

  private async pipeline(
    known: KnownPipeline,
    knownRuns: readonly KnownRun[],
    now: number,
    unchecked: Unchecked,
  ): Promise<WatchedPipeline> {
    const { plan, createdAt, paused, note, startedRuns } = known;
    checkSlas(plan);
    const runs: WatchedRun[] = [];
    for (const each of knownRuns) {
      const run = await this.watched(each, plan, now, unchecked);
      if (run) runs.push(run);
    }
    const lastSuccess = await this.lastEnds.success(plan, runs);
    const updates = await this.lastEnds.updates(plan);
    const removed = this.runs.removedRuns().filter(({ dagId }) => dagId === plan.dagId);
    const starts = [
      ...[...startedRuns].map((id) => intervalOfTick(id, plan)?.start),
      ...removed.map(({ run }) => run.interval?.start ?? intervalOfTick(run.pipelineRunId, plan)?.start),
    ];
    return {
      plan,
      createdAt,
      paused,
      note,
      runs,
      updates,
      removed: removed.map(({ run, noticedAt }) => ({ pipelineRunId: run.pipelineRunId, noticedAt })),
      started: new Set(starts.filter((start) => start !== undefined)),
      ...(lastSuccess !== undefined && { lastSuccess }),
    };
  }

  workersAnswer(): Promise<boolean> {
    return askWorkers(this.client, this.taskQueue);
  }

  async sensors(): Promise<Checked<SensorFacts[]>> {
    const unchecked = new Unchecked();
    const running = await listRunningSensors(this.client, this.taskQueue);
    const found = await Promise.all(running.map(({ id }) => unchecked.guard(id, () => this.sensor(id))));
    return { found: found.filter((sensor) => sensor !== undefined), unchecked: unchecked.reasons };
  }

  /** @returns undefined if the sensor has just ended: lists lag behind */
  private async sensor(id: string): Promise<SensorFacts | undefined> {
    try {
      const status = await sensorStatusOf(this.client, id);
      if (!status.state) throw new NoAnswer(id, undefined);
      return sensorFacts(status);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  runDetails(run: WatchedRun): Promise<RunDetails> {
    return readRunDetails(this.client, run);
  }

  lastSuccess(dagId: string, except: WatchedRun | undefined): Promise<LastSuccess | undefined> {
    return readLastSuccess(this.client, this.taskQueue, dagId, except);
  }

  nextTick({ schedule }: Plan, now: number): string | undefined {
    const tick = schedule ? tickAfter(schedule, now) : undefined;
    return tick === undefined ? undefined : iso(tick);
  }

  async observe(incident: string, observation: Observation): Promise<string | undefined> {
    const [dagId = ''] = incident.split('/', 1);
    const name = this.schedules.pipelines.get(dagId)?.name ?? dagId;
    const key = await this.incidents.observe(incident, observation, name + incident.slice(dagId.length));
    return key === incident ? undefined : key;
  }

  lostIncidents(incidents: readonly string[], now: number): Promise<ReadonlyMap<string, 'ended' | 'gone'>> {
    return this.incidents.lost(incidents, now);
  }

  urlOf(run: Pick<WatchedRun, 'pipelineRunId' | 'temporalRunId'>): string | undefined {
    return runUrl(this.environment, this.client.options.namespace, run);
  }

  urlOfRuns(dagId: string): string | undefined {
    return runsUrl(this.environment, this.client.options.namespace, { dagId });
  }

  async connectors(now: number): Promise<Checked<readonly WatchedConnector[]>> {
    const unchecked = new Unchecked();
    return { found: await this.applied.read(now, unchecked), unchecked: unchecked.reasons };
  }

  /** Reads a run with the SLAs of its own plan. @returns undefined if Temporal no longer has the run */
  private async watched(known: KnownRun, current: Plan, now: number, unchecked: Unchecked): Promise<WatchedRun | undefined> {
    const { planHash, hasStarted, run } = known;
    const interval = run.interval ?? (run.cause === 'scheduled' ? intervalOfTick(run.pipelineRunId, current) : undefined);
    const seen = { ...run, ...(interval && { interval }), hasStarted: hasStarted !== false };
    try {
      const plan = await this.schedules.planOf(run, planHash, current);
      checkSlas(plan);
      return { ...seen, plan, ...(await this.slas.read(run, plan, now)) };
    } catch (error) {
      if (isOutage(error)) throw error;
      if (!isGone(error)) unchecked.note(known.dagId, error);
      else if (run.endedAt === undefined) {
        this.runs.remove(known, now);
        return undefined;
      }
      // The history cannot be read, but the status of the run is known.
      return { ...seen, plan: current };
    }
  }
}

/** Rejects plans with too many SLAs: plans of earlier releases or from other clients have no limits. @throws Error for such a plan */
function checkSlas({ slas = [] }: Plan): void {
  if (slas.length > MAX_SLAS) {
    throw new Error(`It has ${slas.length.toLocaleString('en')} SLAs; at most ${MAX_SLAS.toLocaleString('en')} of a pipeline are watched.`);
  }
}

/** The interval of a scheduled run, from its id: other sources lack it until a worker starts the run. */
function intervalOfTick(pipelineRunId: string, { schedule }: Plan): DataInterval | undefined {
  const tick = tickOf(pipelineRunId);
  return tick === undefined || !schedule ? undefined : dataIntervalAt(schedule, tick);
}
