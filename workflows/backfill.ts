import { ApplicationFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  ChildWorkflowCancellationType,
  condition,
  continueAsNew,
  isCancellation,
  ParentClosePolicy,
  scheduleLocalActivity,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import {
  BACKFILL_QUERY,
  type BackfillInput,
  type BackfillProgress,
  type BackfillReport,
  PAUSE_BACKFILL,
  RESUME_BACKFILL,
} from './plan/runs/backfill.ts';
import { checkRequest, type OperatorRequest } from './plan/runs/decision.ts';
import { type Choice, chooseIntervals, type IntervalRun, type IntervalState } from './plan/timetable/interval-coverage.ts';
import { intervalsBackwards, intervalsBetween } from './plan/timetable/intervals.ts';
import { backfillRunId, siblingName } from './plan/ids.ts';
import { runFacts } from './plan/runs/run-facts.ts';
import type { DataInterval } from './plan/timetable/schedule.ts';
import { BACKFILL_PRIORITY } from './run/run-limits.ts';
import { refuseWhere } from './refuse-update.ts';
import { workflowScope } from './temporal-scope.ts';

const REUSE = { none: 'REJECT_DUPLICATE', failed: 'ALLOW_DUPLICATE_FAILED_ONLY', all: 'ALLOW_DUPLICATE' } as const;

/** Intervals looked up per chunk; after as many, the workflow continues as new. */
const CHUNK = 200;

/**
 * Runs past intervals as child workflows with their own ids, a limited number at a time. Chooses each chunk when its turn comes, so that
 * intervals that were run in the meantime are not run again. Survives crashes of workers.
 * @throws ApplicationFailure `BackfillFailed` with its progress when some of the runs failed
 */
export async function SluiceBackfill(input: BackfillInput): Promise<BackfillReport> {
  const backfill = new Backfill(input);
  const validator = refuseWhere(checkRequest);
  setHandler(BACKFILL_QUERY, () => backfill.report);
  setHandler(PAUSE_BACKFILL, (request) => backfill.pause(request), { validator, description: 'Start no further runs: {"by", "reason"?}' });
  setHandler(RESUME_BACKFILL, (request) => backfill.resume(request), { validator, description: 'Resume: {"by", "reason"?}' });
  return backfill.complete();
}

class Backfill {
  private readonly scope = workflowScope();
  private readonly name: string;
  private lookedAt: string | undefined;
  private succeeded: number;
  private skipped: number;
  private readonly failed: string[];
  private paused: OperatorRequest | undefined;
  private active = 0;

  constructor(private readonly input: BackfillInput) {
    this.name = siblingName(workflowInfo().workflowId, input.plan.dagId);
    const { lookedAt, succeeded = 0, skipped = 0, failed = [], paused } = input.progress ?? {};
    this.lookedAt = lookedAt;
    this.succeeded = succeeded;
    this.skipped = skipped;
    this.failed = [...failed];
    this.paused = paused;
  }

  get progress(): BackfillProgress {
    const { lookedAt, succeeded, skipped, failed, paused } = this;
    return { ...(lookedAt !== undefined && { lookedAt }), succeeded, skipped, failed: [...failed].sort(), ...(paused && { paused }) };
  }

  get report(): BackfillReport {
    return { total: this.input.total, ...this.progress };
  }

  pause(request: OperatorRequest): string {
    this.paused = request;
    this.draw();
    return `paused by ${request.by}; ${this.active === 1 ? '1 run continues until it ends' : `${this.active} runs continue until they end`}`;
  }

  resume(request: OperatorRequest): string {
    this.paused = undefined;
    this.draw();
    return `resumed by ${request.by}`;
  }

  /** Runs all intervals. A cancelled backfill ends when the runs it started have ended. */
  async complete(): Promise<BackfillReport> {
    try {
      return await this.runChunk();
    } finally {
      await CancellationScope.nonCancellable(() => condition(() => this.active === 0));
    }
  }

  private async runChunk(): Promise<BackfillReport> {
    const { reprocess, maxActive, total, expiredBefore } = this.input;
    const chunk = this.nextChunk();
    const runs = chunk.length === 0 ? [] : await this.runsOf(chunk);
    for (const choice of chooseIntervals(chunk, runs, reprocess, expiredBefore)) {
      this.draw();
      await condition(() => this.active < maxActive && !this.paused);
      this.lookedAt = choice.interval.start;
      if (choice.runs) {
        this.active++;
        void this.run(choice);
      } else this.skipped++;
    }
    await condition(() => this.active === 0);
    this.draw();
    if (chunk.length === CHUNK) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof SluiceBackfill>({ ...this.input, progress: this.progress });
    }
    if (this.failed.length === 0) return this.report;
    const shown = this.progress.failed.slice(0, 10).join(', ');
    throw ApplicationFailure.create({
      type: 'BackfillFailed',
      message: `${this.failed.length} of ${total} runs failed: ${shown}${this.failed.length > 10 ? ', …' : ''}. \`--reprocess failed\` runs them again.`,
      nonRetryable: true,
      details: [this.report],
    });
  }

  /** The intervals after the last one checked. */
  private nextChunk(): DataInterval[] {
    const { plan, from, to, until, reverse } = this.input;
    if (!plan.schedule) throw ApplicationFailure.nonRetryable(`'${plan.dagId}' has no schedule, and so no intervals.`, 'BackfillRefused');
    const range = { from: Date.parse(from), to: Date.parse(to), now: Date.parse(until), limit: CHUNK };
    const last = this.lookedAt === undefined ? undefined : Date.parse(this.lookedAt);
    return reverse
      ? intervalsBackwards(plan.schedule, { ...range, to: last === undefined ? range.to : last - 1 })
      : intervalsBetween(plan.schedule, { ...range, from: last === undefined ? range.from : last + 1 });
  }

  private async runsOf(chunk: readonly DataInterval[]): Promise<readonly IntervalRun[]> {
    const { dagId, schedule } = this.input.plan;
    const starts = chunk.map(({ start }) => start).sort();
    const ends = chunk.map(({ end }) => end).sort();
    const found = await scheduleLocalActivity<readonly IntervalRun[] | Readonly<Record<string, IntervalState>>>(
      'interval_states',
      [{ dagId, schedule }, starts[0], ends.at(-1)],
      { startToCloseTimeout: '1 minute' },
    );
    // Histories of earlier releases store the states of intervals keyed by start.
    return Array.isArray(found)
      ? (found as readonly IntervalRun[])
      : chunk.flatMap((interval) => {
          const state = (found as Readonly<Record<string, IntervalState>>)[interval.start];
          return state ? [{ ...state, interval }] : [];
        });
  }

  private idOf(interval: DataInterval): string {
    return backfillRunId(this.name, interval, this.input.wholeIntervals === true);
  }

  private async run({ interval }: Choice): Promise<void> {
    const { plan, reprocess } = this.input;
    const facts = runFacts(plan, 'backfill', { interval });
    try {
      const child = await startChild(plan.dagId, {
        ...facts,
        workflowId: this.idOf(interval),
        // The list of runs lags by a moment, so the server itself refuses runs that must not repeat.
        workflowIdReusePolicy: REUSE[reprocess],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        priority: { priorityKey: BACKFILL_PRIORITY },
      });
      await child.result();
      this.succeeded++;
    } catch (error) {
      // The interval already has its run, or another backfill is running it.
      if (error instanceof WorkflowExecutionAlreadyStartedError) this.skipped++;
      else if (!isCancellation(error) || !this.scope.consideredCancelled) this.failed.push(interval.start);
    } finally {
      this.active--;
      this.draw();
    }
  }

  private draw(): void {
    const { plan, from, to, maxActive, total } = this.input;
    const done = this.succeeded + this.skipped + this.failed.length;
    const width = 40;
    const filled = total === 0 ? width : Math.floor((done / total) * width);
    const lines = [
      `${'█'.repeat(filled)}${'·'.repeat(width - filled)} ${done} of ${total} intervals`,
      `✔ ${this.succeeded} succeeded   – ${this.skipped} skipped   ✘ ${this.failed.length} failed   ▶ ${this.active} of at most ${maxActive} running`,
      ...(this.paused ? [`‖ paused by ${this.paused.by}${this.paused.reason ? `: ${this.paused.reason}` : ''}`] : []),
      ...this.progress.failed.slice(0, 20).map((start) => `✘ ${this.name}/backfill/${start}`),
    ];
    setCurrentDetails(
      `Backfill of ${plan.dagId}, ${from} – ${to} (${workflowInfo().workflowId})\n\n\`\`\`text\n${lines.join('\n')}\n\`\`\``,
    );
  }
}
