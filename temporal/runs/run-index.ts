import type { KnownRun } from './known-run.ts';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { RecentMap } from '../../lib/recent-map.ts';
import { iso } from '../../workflows/plan/timetable/schedule.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { isWaitKey } from '../../workflows/plan/tasks/wait-key.ts';
import { ENDED_LIMITS, type EndedLimits, surplusRuns } from './ended-runs.ts';
import { summaryOf } from './runs.ts';
import { isGone, Unchecked } from '../unchecked.ts';

/** So long runs are kept that have ended, in milliseconds, where nobody asks for more. */
const KEPT = 5 * 86_400_000;
/** What happened so long before the last look is asked for again: the server's lists are a moment behind. Milliseconds. */
const OVERLAP = 30_000;
const PAGE_SIZE = 1_000;
/** A run that is younger need not have begun. Milliseconds. */
const YOUNG = 10_000;
/** In one look so many runs at most are asked whether they have begun: about a second. */
const MOST_ASKED = 500;
const AT_ONCE = 10;
/** How often it is checked that the runs that are under way still exist, in milliseconds. */
const VERIFY_EVERY = 60_000;
/** For how long a run is remembered that Temporal removed before it had ended, in milliseconds. */
const REMOVED_KEPT = 3_600_000;

/** Of so many data sets and pipelines more is remembered than the runs that are known: it can be asked for again. */
const MAX_REMEMBERED = 10_000;

/** A run that Temporal no longer has, and that was not seen to end. */
export interface RemovedRun extends KnownRun {
  /** When its absence was noticed, milliseconds. */
  readonly noticedAt: number;
}

/**
 * The runs of a namespace, kept in memory and brought up to date by what has started and ended since the last look, so that a look costs a
 * few requests whatever the number of pipelines; all of it can be read again from the server.
 */
export class RunIndex {
  private readonly runs = new Map<string, KnownRun>();
  private readonly updates = new RecentMap<number>(MAX_REMEMBERED);
  /** Pipelines whose runs are kept for longer. */
  private readonly keptFor = new RecentMap<number>(MAX_REMEMBERED);
  private readonly removed = new Map<string, RemovedRun>();
  private verifiedAt = -Infinity;
  private seenUntil: number | undefined;

  /** @param limits how many ended runs of a pipeline are kept */
  constructor(
    private readonly client: Client,
    private readonly limits: EndedLimits = ENDED_LIMITS,
  ) {}

  /** All that are known, by dag_id. */
  byPipeline(): Map<string, KnownRun[]> {
    const found = new Map<string, KnownRun[]>();
    for (const known of this.runs.values()) {
      const runs = found.get(known.dagId);
      if (runs) runs.push(known);
      else found.set(known.dagId, [known]);
    }
    return found;
  }

  /** Runs that were removed from Temporal in the last hour, and had not ended when they were last seen. */
  removedRuns(): RemovedRun[] {
    return [...this.removed.values()];
  }

  /** Takes out a run that Temporal no longer has. What has ended stays as it was seen. @param now milliseconds */
  remove(known: KnownRun, now: number): void {
    if (known.run.endedAt !== undefined) return;
    this.runs.delete(keyOf(known));
    this.removed.set(keyOf(known), { ...known, noticedAt: now });
  }

  /** When the last run that is known has ended that made a data set, milliseconds. */
  lastUpdate(uri: string): number | undefined {
    return this.updates.get(uri);
  }

  /** Brings the runs up to date. @param now milliseconds @param unchecked collects what cannot be read */
  async refresh(now: number, unchecked = new Unchecked()): Promise<void> {
    const ours = `${SEARCH_ATTRIBUTES.pipeline.name} IS NOT NULL`;
    const since = iso((this.seenUntil ?? now - KEPT) - OVERLAP);
    await this.list(this.seenUntil === undefined ? `${ours} AND ExecutionStatus = "Running"` : `${ours} AND StartTime >= "${since}"`);
    await this.list(`${ours} AND CloseTime >= "${since}"`);
    await this.followWaiting();
    await this.verifyRunning(now, unchecked);
    await this.askWhetherStarted(now, unchecked);
    for (const [key, { noticedAt }] of this.removed) if (now - noticedAt > REMOVED_KEPT) this.removed.delete(key);
    this.seenUntil = now;
  }

  /** Keeps the runs of a pipeline that have ended for `ms`, where that is longer than usual. @param now milliseconds */
  async keepFor(dagId: string, ms: number, now: number): Promise<void> {
    if (ms <= (this.keptFor.get(dagId) ?? KEPT)) return;
    await this.list(`${SEARCH_ATTRIBUTES.pipeline.name} = ${JSON.stringify(dagId)} AND CloseTime >= "${iso(now - ms)}"`);
    this.keptFor.set(dagId, ms);
  }

  /** Reads the runs of open problems, by their keys, that are older than what is kept. @param dagIds the pipelines that there are */
  async remember(problems: readonly string[], dagIds: { has(dagId: string): boolean }, unchecked: Unchecked): Promise<void> {
    const { pipeline, interval } = SEARCH_ATTRIBUTES;
    for (const key of problems) {
      // A waiting run has not ended, so the index already contains it.
      if (isWaitKey(key)) continue;
      const [dagId = '', , ...subject] = key.split('/');
      const what = subject.join('/');
      if (!dagIds.has(dagId) || what === '' || what === 'freshness') continue;
      const has = [...this.runs.values()].some(
        ({ dagId: of, run }) => of === dagId && (run.interval?.start === what || run.pipelineRunId === `${dagId}/${what}`),
      );
      if (has) continue;
      const from = Date.parse(what);
      const query = Number.isNaN(from)
        ? `WorkflowId = ${JSON.stringify(`${dagId}/${what}`)}`
        : `${pipeline.name} = ${JSON.stringify(dagId)} AND ${interval.name} >= "${iso(from)}" AND ${interval.name} < "${iso(from + 1_000)}"`;
      await unchecked.guard(dagId, () => this.list(query));
    }
  }

  /** Forgets ended runs that are old or too many, but for those of open problems. @param now milliseconds */
  forget(now: number, problems: readonly string[]): void {
    for (const [dagId, runs] of this.byPipeline()) {
      const own = problems.filter((problem) => problem.startsWith(`${dagId}/`));
      const isOfProblem = ({ run }: KnownRun): boolean =>
        own.some((problem) => problem.endsWith(`/${run.interval?.start}`) || problem.endsWith(run.pipelineRunId.slice(dagId.length)));
      const surplus = surplusRuns(runs, isOfProblem, now, this.keptFor.get(dagId) ?? KEPT, this.limits);
      for (const known of surplus) this.runs.delete(keyOf(known));
    }
  }

  private async list(query: string): Promise<void> {
    for await (const info of this.client.workflow.list({ query, pageSize: PAGE_SIZE })) this.take(info);
  }

  /** A run that starts or stops to wait, for its turn or for people, leaves no event that lists could be asked for. */
  private async followWaiting(): Promise<void> {
    const { pipeline, state } = SEARCH_ATTRIBUTES;
    const waiting = new Set<string>();
    const query = `${pipeline.name} IS NOT NULL AND ${state.name} IS NOT NULL AND ExecutionStatus = "Running"`;
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

  /** Lists say how long a history was when its run was listed first. So each run that may not have begun is asked itself, until it has. */
  private async askWhetherStarted(now: number, unchecked: Unchecked): Promise<void> {
    const notStarted = [...this.runs.values()]
      .filter(({ run, hasStarted }) => hasStarted !== true && run.endedAt === undefined && now - run.queuedAt > YOUNG)
      .slice(0, MOST_ASKED);
    await inTurns(notStarted, AT_ONCE, (known) => this.ask(known, now, unchecked));
  }

  /** A run that is deleted while it runs ends without an event that lists could be asked for. */
  private async verifyRunning(now: number, unchecked: Unchecked): Promise<void> {
    if (now - this.verifiedAt < VERIFY_EVERY && now >= this.verifiedAt) return;
    const running = new Set<string>();
    const query = `${SEARCH_ATTRIBUTES.pipeline.name} IS NOT NULL AND ExecutionStatus = "Running"`;
    for await (const { workflowId, runId } of this.client.workflow.list({ query, pageSize: PAGE_SIZE }))
      running.add(`${workflowId}\n${runId}`);
    const doubtful = [...this.runs.values()]
      .filter((known) => known.run.endedAt === undefined && now - known.run.queuedAt > YOUNG && !running.has(keyOf(known)))
      .slice(0, MOST_ASKED);
    await inTurns(doubtful, AT_ONCE, (known) => this.ask(known, now, unchecked));
    this.verifiedAt = now;
  }

  /** Asks a run itself. One that is gone is taken out; one that cannot be read hides no other. */
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

  /** @param asked whether the run itself was asked: only then it is known that no worker has begun it */
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
