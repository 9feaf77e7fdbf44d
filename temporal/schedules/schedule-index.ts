import type { Client } from '@temporalio/client';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { RecentMap } from '../../lib/recent-map.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { readRunInput } from '../runs/run-input.ts';
import type { RunReference } from '../runs/runs.ts';
import type { PipelineName } from '../../workflows/plan/ids.ts';
import { listSchedules } from './schedules.ts';
import { NotScheduled, scheduleOf } from './schedule-facts.ts';
import { isOutage, type Unchecked } from '../unchecked.ts';

/** Interval for listing schedules, in milliseconds. */
const EVERY = 15_000;
const AT_ONCE = 10;
/** Maximum number of cached plans of earlier definitions; others are read from their runs. */
const MAX_PLANS = 2_000;
/** Maximum number of remembered runs that a schedule started, newest first. */
const STARTED_KEPT = 100;

/** A pipeline as read from its schedule. */
export interface KnownPipeline {
  readonly name: PipelineName;
  readonly plan: Plan;
  /** When its schedule was created, milliseconds. */
  readonly createdAt: number;
  readonly paused: boolean;
  /** The note of the operator who paused it. */
  readonly note: string;
  /** The newest runs that the schedule has started, whether or not Temporal still has them. */
  readonly startedRuns: ReadonlySet<string>;
}

/** Caches the pipelines of a deployment; rereads a schedule when its hash changes. */
export class ScheduleIndex {
  private readonly known = new Map<string, KnownPipeline>();
  private readonly plans = new RecentMap<Plan>(MAX_PLANS);
  /** Schedules that cannot be read, and why. */
  private readonly unreadable = new Map<string, unknown>();
  private listedAt = -Infinity;
  /** Pipelines that have runs in the namespace but do not belong to this deployment. */
  private foreign: ReadonlySet<string> = new Set();

  /** @param onChange called when a known pipeline is edited */
  constructor(
    private readonly client: Client,
    private readonly taskQueue: string,
    private readonly onChange: (before: Plan, after: Plan) => void,
  ) {}

  /** The cached pipelines by dag_id. */
  get pipelines(): ReadonlyMap<string, KnownPipeline> {
    return this.known;
  }

  /** Refreshes the cache if it is stale. @param now milliseconds @param unchecked collects what cannot be read */
  async refresh(now: number, unchecked: Unchecked): Promise<void> {
    if (now - this.listedAt >= EVERY || now < this.listedAt) await this.list(now);
    for (const [dagId, error] of this.unreadable) unchecked.note(dagId, error);
  }

  /** Refreshes the cache if a run belongs to an unknown pipeline, which may just have been applied. */
  async meet(dagIds: ReadonlySet<string>, now: number): Promise<void> {
    const unknown = (): string[] => [...dagIds].filter((dagId) => !this.known.has(dagId));
    if (unknown().every((dagId) => this.foreign.has(dagId))) return;
    await this.list(now);
    this.foreign = new Set(unknown());
  }

  /** Returns the plan of a run. @param current the pipeline's plan, for a run without its own */
  async planOf(run: RunReference, hash: string, current: Plan): Promise<Plan> {
    if (hash === current.hash || hash === '') return current;
    const known = this.plans.get(hash);
    if (known) return known;
    const plan = (await readRunInput(this.client, run))?.plan ?? current;
    this.plans.set(hash, plan);
    return plan;
  }

  private async list(now: number): Promise<void> {
    const listed = await listSchedules(this.client, this.taskQueue);
    const ids = new Set(listed.map(({ dagId }) => dagId));
    for (const dagId of this.known.keys()) if (!ids.has(dagId)) this.known.delete(dagId);
    this.unreadable.clear();
    await inTurns(listed, AT_ONCE, async ({ dagId, name = dagId, planHash, paused, note, startedRuns: lately }) => {
      const known = this.known.get(dagId);
      const startedRuns = new Set([...(known?.startedRuns ?? []), ...lately].slice(-STARTED_KEPT));
      // The applied hash also includes the horizon of the spec, so compare only its start.
      if (known && planHash.startsWith(known.plan.hash)) {
        this.known.set(dagId, { ...known, name, paused, note, startedRuns });
        return;
      }
      try {
        const { plan, createdAt } = await scheduleOf(this.client, name);
        if (known && known.plan.hash !== plan.hash) this.onChange(known.plan, plan);
        this.known.set(dagId, { name, plan, createdAt, paused, note, startedRuns });
        this.plans.set(plan.hash, plan);
      } catch (error) {
        if (isOutage(error)) throw error;
        this.known.delete(dagId);
        if (!(error instanceof NotScheduled)) this.unreadable.set(dagId, error);
      }
    });
    this.listedAt = now;
  }
}
