import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { inTurns } from '../lib/in-turns.ts';
import type { WatchedRun } from '../monitors/watched.ts';
import { iso } from '../workflows/plan/schedule.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/plan/search-attributes.ts';
import { summaryOf } from './runs.ts';

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

/** A run as it is kept: what lists say, and what was found out once. */
export interface KnownRun {
  readonly dagId: string;
  readonly planHash: string;
  /** Whether a worker has begun it; undefined until the run itself was asked. */
  readonly begun: boolean | undefined;
  readonly run: Omit<WatchedRun, 'plan' | 'startedAt' | 'begun'>;
}

/**
 * The runs of a namespace, kept in memory and brought up to date by what has started and ended since the last look, so that a look costs a
 * few requests whatever the number of pipelines; all of it can be read again from the server.
 */
export class RunIndex {
  private readonly runs = new Map<string, KnownRun>();
  private readonly updates = new Map<string, number>();
  /** Pipelines whose runs are kept for longer. */
  private readonly keptFor = new Map<string, number>();
  private seenUntil: number | undefined;

  constructor(private readonly client: Client) {}

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

  /** When the last run that is known has ended that made a data set, milliseconds. */
  lastUpdate(uri: string): number | undefined {
    return this.updates.get(uri);
  }

  /** Brings the runs up to date. @param now milliseconds */
  async refresh(now: number): Promise<void> {
    const ours = `${SEARCH_ATTRIBUTES.pipeline.name} IS NOT NULL`;
    const since = iso((this.seenUntil ?? now - KEPT) - OVERLAP);
    await this.list(this.seenUntil === undefined ? `${ours} AND ExecutionStatus = "Running"` : `${ours} AND StartTime >= "${since}"`);
    await this.list(`${ours} AND CloseTime >= "${since}"`);
    await this.followWaiting();
    await this.askWhetherBegun(now);
    this.seenUntil = now;
  }

  /** Keeps the runs of a pipeline that have ended for `ms`, where that is longer than usual. @param now milliseconds */
  async keepFor(dagId: string, ms: number, now: number): Promise<void> {
    if (ms <= (this.keptFor.get(dagId) ?? KEPT)) return;
    await this.list(`${SEARCH_ATTRIBUTES.pipeline.name} = ${JSON.stringify(dagId)} AND CloseTime >= "${iso(now - ms)}"`);
    this.keptFor.set(dagId, ms);
  }

  /** Reads the runs of open problems, by their keys, that are older than what is kept. @param dagIds the pipelines that there are */
  async remember(problems: readonly string[], dagIds: { has(dagId: string): boolean }): Promise<void> {
    const { pipeline, interval } = SEARCH_ATTRIBUTES;
    for (const key of problems) {
      const [dagId = '', , ...subject] = key.split('/');
      const what = subject.join('/');
      if (!dagIds.has(dagId) || what === '' || what === 'freshness') continue;
      const has = [...this.runs.values()].some(
        ({ dagId: of, run }) => of === dagId && (run.interval?.start === what || run.pipelineRunId === `${dagId}/${what}`),
      );
      if (has) continue;
      const from = Date.parse(what);
      await this.list(
        Number.isNaN(from)
          ? `WorkflowId = ${JSON.stringify(`${dagId}/${what}`)}`
          : `${pipeline.name} = ${JSON.stringify(dagId)} AND ${interval.name} >= "${iso(from)}" AND ${interval.name} < "${iso(from + 1_000)}"`,
      );
    }
  }

  /** Forgets runs that have ended long ago, but for those of open problems. @param now milliseconds */
  forget(now: number, problems: readonly string[]): void {
    for (const [key, { dagId, run }] of this.runs) {
      if (run.endedAt === undefined || now - run.endedAt < (this.keptFor.get(dagId) ?? KEPT)) continue;
      const ofProblem = problems.some(
        (problem) =>
          problem.startsWith(`${dagId}/`) &&
          (problem.endsWith(`/${run.interval?.start}`) || problem.endsWith(run.pipelineRunId.slice(dagId.length))),
      );
      if (!ofProblem) this.runs.delete(key);
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
  private async askWhetherBegun(now: number): Promise<void> {
    const notBegun = [...this.runs.values()]
      .filter(({ run, begun }) => begun !== true && run.endedAt === undefined && now - run.queuedAt > YOUNG)
      .slice(0, MOST_ASKED);
    await inTurns(notBegun, AT_ONCE, async ({ run }) => {
      this.take(await this.client.workflow.getHandle(run.pipelineRunId, run.temporalRunId).describe(), true);
    });
  }

  /** @param asked whether the run itself was asked: only then it is known that no worker has begun it */
  private take(info: Omit<WorkflowExecutionInfo, 'rootExecution' | 'raw'>, asked = false): void {
    const { pipelineRunId, temporalRunId, dagId, cause, state, startedAt, endedAt } = summaryOf(info);
    const attribute = (name: keyof typeof SEARCH_ATTRIBUTES): unknown =>
      info.typedSearchAttributes.getAll().find(({ key }) => key.name === SEARCH_ATTRIBUTES[name].name)?.value;
    const [start, end] = [attribute('interval'), attribute('intervalEnd')];
    const hasBegun = info.historyLength > 2 || endedAt !== undefined;
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
    const made = attribute('datasets');
    if (endedAt && Array.isArray(made))
      for (const uri of made as string[]) this.updates.set(uri, Math.max(this.updates.get(uri) ?? 0, endedAt.getTime()));
  }
}

function keyOf({ run }: Pick<KnownRun, 'run'>): string {
  return `${run.pipelineRunId}\n${run.temporalRunId}`;
}
