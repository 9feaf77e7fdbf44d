import type { KnownRun } from './known-run.ts';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { RecentMap } from '../../lib/recent-map.ts';
import { nameIn, type PipelineName, withinPipeline } from '../../workflows/plan/ids.ts';
import { iso } from '../../workflows/plan/timetable/schedule.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { isWaitKey } from '../../workflows/plan/tasks/wait-key.ts';
import { ENDED_LIMITS, type EndedLimits, surplusRuns } from './ended-runs.ts';
import { ofDeployment } from '../names.ts';
import { summaryOf } from './runs.ts';
import { isGone, Unchecked } from '../unchecked.ts';

/** Default time to keep ended runs, in milliseconds. */
const KEPT = 5 * 86_400_000;
/** Each refresh rereads this much before the last one, because the server's lists lag behind. Milliseconds. */
const OVERLAP = 30_000;
const PAGE_SIZE = 1_000;
/** A younger run may not have started yet. Milliseconds. */
const YOUNG = 10_000;
/** Maximum number of runs per refresh that are queried whether they have started: about a second. */
const MOST_ASKED = 500;
const AT_ONCE = 10;
/** Interval of the check that active runs still exist, in milliseconds. */
const VERIFY_EVERY = 60_000;
/** How long to remember a run that Temporal removed before it ended, in milliseconds. */
const REMOVED_KEPT = 3_600_000;

/** Maximum number of datasets and pipelines with cached facts beyond the known runs; others are read again. */
const MAX_REMEMBERED = 10_000;

/** A run that Temporal no longer has, and whose end was not observed. */
export interface RemovedRun extends KnownRun {
  /** When its absence was noticed, milliseconds. */
  readonly noticedAt: number;
}

/**
 * Caches the runs of a deployment. A refresh reads only runs that started or ended since the last one, so that it costs a few requests for
 * any number of pipelines. The cache can be rebuilt from the server.
 */
export class RunIndex {
  private readonly runs = new Map<string, KnownRun>();
  private readonly updates = new RecentMap<number>(MAX_REMEMBERED);
  /** Pipelines whose runs are kept longer. */
  private readonly keptFor = new RecentMap<number>(MAX_REMEMBERED);
  private readonly removed = new Map<string, RemovedRun>();
  private verifiedAt = -Infinity;
  private seenUntil: number | undefined;
  private readonly own: string;

  /**
   * @param limits how many ended runs of a pipeline are kept
   * @param taskQueue of the deployment; absent: runs of all deployments
   */
  constructor(
    private readonly client: Client,
    private readonly limits: EndedLimits = ENDED_LIMITS,
    private readonly taskQueue?: string,
  ) {
    this.own = ofDeployment(taskQueue);
  }

  /** All known runs, by dag_id. */
  byPipeline(): Map<string, KnownRun[]> {
    const found = new Map<string, KnownRun[]>();
    for (const known of this.runs.values()) {
      const runs = found.get(known.dagId);
      if (runs) runs.push(known);
      else found.set(known.dagId, [known]);
    }
    return found;
  }

  /** Runs that were removed from Temporal in the last hour before they had ended. */
  removedRuns(): RemovedRun[] {
    return [...this.removed.values()];
  }

  /** Removes a run that Temporal no longer has. Ended runs stay as last seen. @param now milliseconds */
  remove(known: KnownRun, now: number): void {
    if (known.run.endedAt !== undefined) return;
    this.runs.delete(keyOf(known));
    this.removed.set(keyOf(known), { ...known, noticedAt: now });
  }

  /** When the last known run that updates a dataset ended, milliseconds. */
  lastUpdate(uri: string): number | undefined {
    return this.updates.get(uri);
  }

  /** Refreshes the runs. @param now milliseconds @param unchecked collects what cannot be read */
  async refresh(now: number, unchecked = new Unchecked()): Promise<void> {
    const ours = `${SEARCH_ATTRIBUTES.pipeline.name} IS NOT NULL${this.own}`;
    const since = iso((this.seenUntil ?? now - KEPT) - OVERLAP);
    await this.list(this.seenUntil === undefined ? `${ours} AND ExecutionStatus = "Running"` : `${ours} AND StartTime >= "${since}"`);
    await this.list(`${ours} AND CloseTime >= "${since}"`);
    await this.followWaiting();
    await this.verifyRunning(now, unchecked);
    await this.askWhetherStarted(now, unchecked);
    for (const [key, { noticedAt }] of this.removed) if (now - noticedAt > REMOVED_KEPT) this.removed.delete(key);
    this.seenUntil = now;
  }

  /** Keeps ended runs of a pipeline for `ms`, if that is longer than the default. @param now milliseconds */
  async keepFor(dagId: string, ms: number, now: number): Promise<void> {
    if (ms <= (this.keptFor.get(dagId) ?? KEPT)) return;
    await this.list(`${SEARCH_ATTRIBUTES.pipeline.name} = ${JSON.stringify(dagId)} AND CloseTime >= "${iso(now - ms)}"${this.own}`);
    this.keptFor.set(dagId, ms);
  }

  /** Reads runs of open problems, by problem key, that are older than the cache. @param pipelines the existing ones, by dag_id */
  async remember(
    problems: readonly string[],
    pipelines: ReadonlyMap<string, { readonly name: PipelineName }>,
    unchecked: Unchecked,
  ): Promise<void> {
    const { pipeline, interval } = SEARCH_ATTRIBUTES;
    for (const key of problems) {
      // A waiting run has not ended, so the index already contains it.
      if (isWaitKey(key)) continue;
      const [dagId = '', , ...subject] = key.split('/');
      const what = subject.join('/');
      const known = pipelines.get(dagId);
      if (!known || what === '' || what === 'freshness') continue;
      const has = [...this.runs.values()].some(
        ({ dagId: of, run }) => of === dagId && (run.interval?.start === what || withinPipeline(run.pipelineRunId) === what),
      );
      if (has) continue;
      const from = Date.parse(what);
      const query = Number.isNaN(from)
        ? `WorkflowId IN (${this.namesOf(dagId, known.name)
            .map((name) => JSON.stringify(`${name}/${what}`))
            .join(', ')})`
        : `${pipeline.name} = ${JSON.stringify(dagId)} AND ${interval.name} >= "${iso(from)}" AND ${interval.name} < "${iso(from + 1_000)}"`;
      await unchecked.guard(dagId, () => this.list(`${query}${this.own}`));
    }
  }

  /** The names in the ids of a pipeline's runs: those that runs of other pipelines start have the deployment if the id of that run has it. */
  private namesOf(dagId: string, name: PipelineName): PipelineName[] {
    const { taskQueue } = this;
    return [...new Set([name, dagId, ...(taskQueue === undefined ? [] : [nameIn(taskQueue, dagId)])])];
  }

  /** Removes ended runs that are old or beyond the limits, except those of open problems. @param now milliseconds */
  forget(now: number, problems: readonly string[]): void {
    for (const [dagId, runs] of this.byPipeline()) {
      const own = problems.filter((problem) => problem.startsWith(`${dagId}/`));
      const isOfProblem = ({ run }: KnownRun): boolean =>
        own.some((problem) => problem.endsWith(`/${run.interval?.start}`) || problem.endsWith(`/${withinPipeline(run.pipelineRunId)}`));
      const surplus = surplusRuns(runs, isOfProblem, now, this.keptFor.get(dagId) ?? KEPT, this.limits);
      for (const known of surplus) this.runs.delete(keyOf(known));
    }
  }

  private async list(query: string): Promise<void> {
    for await (const info of this.client.workflow.list({ query, pageSize: PAGE_SIZE })) this.take(info);
  }

  /** Reads which runs wait, for their turn or for people: changes of this leave no event to list. */
  private async followWaiting(): Promise<void> {
    const { pipeline, state } = SEARCH_ATTRIBUTES;
    const waiting = new Set<string>();
    const query = `${pipeline.name} IS NOT NULL AND ${state.name} IS NOT NULL AND ExecutionStatus = "Running"${this.own}`;
    for await (const info of this.client.workflow.list({ query, pageSize: PAGE_SIZE })) {
      this.take(info);
      waiting.add(info.runId);
    }
    for (const [key, known] of this.runs) {
      const { endedAt, temporalRunId, state: before } = known.run;
      if (endedAt === undefined && before !== 'running' && !waiting.has(temporalRunId))
        this.runs.set(key, { ...known, run: { ...known.run, state: 'running' } });
    }
  }

  /** Queries each run that may not have started, until it has: lists only contain the history length from when a run was first listed. */
  private async askWhetherStarted(now: number, unchecked: Unchecked): Promise<void> {
    const notStarted = [...this.runs.values()]
      .filter(({ run, hasStarted }) => hasStarted !== true && run.endedAt === undefined && now - run.queuedAt > YOUNG)
      .slice(0, MOST_ASKED);
    await inTurns(notStarted, AT_ONCE, (known) => this.ask(known, now, unchecked));
  }

  /** Checks that active runs still exist: deleting a run leaves no event to list. */
  private async verifyRunning(now: number, unchecked: Unchecked): Promise<void> {
    if (now - this.verifiedAt < VERIFY_EVERY && now >= this.verifiedAt) return;
    const running = new Set<string>();
    const query = `${SEARCH_ATTRIBUTES.pipeline.name} IS NOT NULL AND ExecutionStatus = "Running"${this.own}`;
    for await (const { workflowId, runId } of this.client.workflow.list({ query, pageSize: PAGE_SIZE }))
      running.add(`${workflowId}\n${runId}`);
    const doubtful = [...this.runs.values()]
      .filter((known) => known.run.endedAt === undefined && now - known.run.queuedAt > YOUNG && !running.has(keyOf(known)))
      .slice(0, MOST_ASKED);
    await inTurns(doubtful, AT_ONCE, (known) => this.ask(known, now, unchecked));
    this.verifiedAt = now;
  }

  /** Queries a run itself. Removes it if it is gone; an unreadable run must not hide others. */
  private async ask(known: KnownRun, now: number, unchecked: Unchecked): Promise<void> {
    const { pipelineRunId, temporalRunId } = known.run;
    await unchecked.guard(known.dagId, async () => {
      try {
        this.take(await this.client.workflow.getHandle(pipelineRunId, temporalRunId).describe(), true);
      } catch (error) {
        if (!isGone(error)) throw error;
        this.remove(known, now);
      }
    });
  }

  /** @param asked whether the run itself was queried: only that shows that no worker has started it */
  private take(info: Omit<WorkflowExecutionInfo, 'rootExecution' | 'raw'>, asked = false): void {
    const { pipelineRunId, temporalRunId, dagId, cause, state, startedAt, endedAt } = summaryOf(info);
    const attributes = info.typedSearchAttributes;
    const [start, end] = [attributes.get(SEARCH_ATTRIBUTES.interval), attributes.get(SEARCH_ATTRIBUTES.intervalEnd)];
    const isStarted = info.historyLength > 2 || endedAt !== undefined;
    const known: Omit<KnownRun, 'hasStarted'> = {
      dagId,
      planHash: attributes.get(SEARCH_ATTRIBUTES.planHash) ?? '',
      run: {
        pipelineRunId,
        temporalRunId,
        cause,
        state,
        queuedAt: startedAt.getTime(),
        ...(start && end && { interval: { start: iso(start.getTime()), end: iso(end.getTime()) } }),
        ...(endedAt && { endedAt: endedAt.getTime() }),
      },
    };
    const key = keyOf(known);
    const before = this.runs.get(key);
    // A run that has ended cannot be active again: the entry comes from an index that lags behind.
    if (before?.run.endedAt !== undefined && known.run.endedAt === undefined) return;
    const hasStarted = isStarted || (asked ? false : before?.hasStarted);
    this.runs.set(key, { ...known, hasStarted });
    if (endedAt)
      for (const uri of attributes.get(SEARCH_ATTRIBUTES.datasets) ?? [])
        this.updates.set(uri, Math.max(this.updates.get(uri) ?? 0, endedAt.getTime()));
  }
}

function keyOf({ run }: Pick<KnownRun, 'run'>): string {
  return `${run.pipelineRunId}\n${run.temporalRunId}`;
}
