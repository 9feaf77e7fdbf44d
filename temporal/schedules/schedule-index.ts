import type { Client } from '@temporalio/client';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { RecentMap } from '../../lib/recent-map.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { readRunInput } from '../runs/run-input.ts';
import type { RunReference } from '../runs/runs.ts';
import { listSchedules } from './schedules.ts';
import { NotScheduled, scheduleOf } from './schedule-facts.ts';
import { isOutage, type Unchecked } from '../unchecked.ts';

/** Schedules are listed so often, in milliseconds. */
const EVERY = 15_000;
const AT_ONCE = 10;
/** Plans of earlier definitions that are kept; another is read from the run again. */
const MAX_PLANS = 2_000;
/** Of the runs that a schedule has started so many are remembered, the newest. */
const STARTED_KEPT = 100;

/** A pipeline as its schedule has it. */
export interface KnownPipeline {
  readonly plan: Plan;
  /** Since when its schedule is there, milliseconds. */
  readonly createdAt: number;
  readonly paused: boolean;
  /** Why it is, as whoever paused it has noted. */
  readonly note: string;
  /** The newest runs that the schedule itself says it has started, whether Temporal still has them or not. */
  readonly startedRuns: ReadonlySet<string>;
}

/** The pipelines of a deployment, kept in memory: a schedule is read anew when its hash has changed. */
export class ScheduleIndex {
  private readonly known = new Map<string, KnownPipeline>();
  private readonly plans = new RecentMap<Plan>(MAX_PLANS);
  /** Schedules that cannot be read, and why. */
  private readonly unreadable = new Map<string, unknown>();
  private listedAt = -Infinity;
  /** Pipelines that have runs in the namespace, and are no part of this deployment. */
  private foreign: ReadonlySet<string> = new Set();

  /** @param onChange is told of an edit of a pipeline that was known before */
  constructor(
    private readonly client: Client,
    private readonly taskQueue: string,
    private readonly onChange: (before: Plan, after: Plan) => void,
  ) {}

  /** The pipelines by dag_id, as they were a moment ago. */
  get pipelines(): ReadonlyMap<string, KnownPipeline> {
    return this.known;
  }

  /** Brings them up to date where that was long ago. @param now milliseconds @param unchecked collects what cannot be read */
  async refresh(now: number, unchecked: Unchecked): Promise<void> {
    if (now - this.listedAt >= EVERY || now < this.listedAt) await this.list(now);
    for (const [dagId, error] of this.unreadable) unchecked.note(dagId, error);
  }

  /** Sees to it that the pipelines of these runs are known: one may have been applied a moment ago. */
  async meet(dagIds: ReadonlySet<string>, now: number): Promise<void> {
    const unknown = (): string[] => [...dagIds].filter((dagId) => !this.known.has(dagId));
    if (unknown().every((dagId) => this.foreign.has(dagId))) return;
    await this.list(now);
    this.foreign = new Set(unknown());
  }

  /** The plan that a run carries. @param current the pipeline's own now, for a run that does not say */
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
    await inTurns(listed, AT_ONCE, async ({ dagId, planHash, paused, note, startedRuns: lately }) => {
      const known = this.known.get(dagId);
      const startedRuns = new Set([...(known?.startedRuns ?? []), ...lately].slice(-STARTED_KEPT));
      // The hash of what is applied says more than the plan's own where a spec has to be renewed.
      if (known && planHash.startsWith(known.plan.hash)) {
        this.known.set(dagId, { ...known, paused, note, startedRuns });
        return;
      }
      try {
        const { plan, createdAt } = await scheduleOf(this.client, dagId);
        if (known && known.plan.hash !== plan.hash) this.onChange(known.plan, plan);
        this.known.set(dagId, { plan, createdAt, paused, note, startedRuns });
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
