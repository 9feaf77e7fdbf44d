import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { isExpired, stateOfInterval } from '../workflows/plan/interval-coverage.ts';
import { intervalsBetween } from '../workflows/plan/intervals.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { isUnderWay } from '../workflows/plan/run.ts';
import { type DataInterval, dataIntervalAround, iso, type SchedulePlan } from '../workflows/plan/schedule.ts';
import { intervalRuns } from './intervals.ts';
import { scheduledRunIdBase } from './names.ts';
import { expiryFor, retentionOf } from './retention.ts';
import { runStart } from './run-start.ts';
import { scheduleOf } from './schedule-facts.ts';
import { firingInstant } from './schedule-spec.ts';

/** One tick of a schedule, and what became of it. */
export interface Tick {
  /** When it was due: the end of the interval. ISO 8601. */
  readonly tick: string;
  readonly interval: DataInterval;
  /**
   * The state of its run (`success`, `running`, …), `queued` while the Schedule holds it back, `skipped` when nobody wanted it, `due` for so
   * short a time that it may still come, `expired` when Temporal no longer has the runs of that time, so that nobody knows whether it ran, or
   * `missing`: it should have run and did not.
   */
  readonly state: string;
  /** Why there is no run. */
  readonly why?: string;
  readonly pipelineRunId?: string;
}

/** A tick may come so late without being late: jitter comes on top. Milliseconds. */
const GRACE = 60_000;
const MAX_TICKS = 10_000;

const EXPIRED = 'Temporal no longer has runs from then: nobody knows whether it ran. A backfill with --reprocess all runs it';
const DELETED = 'its schedule started a run, which was deleted from Temporal. A backfill with --reprocess all runs it';

/**
 * The ledger of a pipeline's ticks, oldest first: computed from the definition in its Schedule and the runs that Temporal knows, not from a
 * record of our own.
 * @param range milliseconds: ticks of intervals that begin in it; `from` absent: since `start_date`, else since the Schedule was made
 * @throws NotScheduled
 */
export async function listTicks(
  client: Client,
  dagId: string,
  range: { readonly from?: number; readonly to?: number } = {},
  now = Date.now(),
): Promise<Tick[]> {
  const { plan, createdAt, paused, held, startedRuns } = await scheduleOf(client, dagId);
  const { schedule } = plan;
  if (!schedule) return [];
  const expiredBefore = expiryFor(createdAt, await retentionOf(client), now);
  const from = range.from ?? Date.parse(schedule.startAt ?? dataIntervalAround(schedule, createdAt)?.start ?? iso(createdAt));
  const intervals = intervalsBetween(schedule, { from, to: range.to ?? now, now, limit: MAX_TICKS });
  const [first] = intervals;
  const runs = first ? await intervalRuns(client, plan, first.start, intervals.at(-1)?.end ?? first.end) : [];
  const states = new Map(intervals.map((interval) => [interval.start, stateOfInterval(interval, runs)]));
  // What the Schedule holds back came after the run that it waits for.
  const busy = intervals.find(({ start }) => isUnderWay(states.get(start)?.state ?? ''))?.start ?? '';
  return intervals.map((interval): Tick => {
    const tick = interval.end;
    const known = states.get(interval.start);
    if (known) return { tick, interval, ...known };
    if (held && interval.start > busy) return { tick, interval, state: 'queued', why: 'the run before has not ended' };
    const due = Date.parse(tick);
    if (isExpired(interval, expiredBefore)) return { tick, interval, state: 'expired', why: EXPIRED };
    if (startedRuns.includes(runIdOf(plan, interval))) return { tick, interval, state: 'expired', why: DELETED };
    if (due < createdAt)
      return { tick, interval, state: 'skipped', why: `before the pipeline was applied, on ${iso(createdAt).slice(0, 16)}Z` };
    if (paused) return { tick, interval, state: 'skipped', why: `the schedule is paused${paused === true ? '' : `: ${paused}`}` };
    if (now - due <= GRACE + (schedule.jitterMs ?? 0)) return { tick, interval, state: 'due' };
    return { tick, interval, state: 'missing', why: 'it was due, and nothing ran' };
  });
}

/** Whether a tick can be filled: there should be a run, or could be, and there is none. */
export function isOpen({ state }: Tick): boolean {
  return state === 'missing' || state === 'skipped';
}

/**
 * Starts the runs of ticks that have none, under the ids that the Schedule itself would have given them.
 * @returns the ids of the runs that were started; a run that is there by now is left alone
 */
export async function fillTicks(client: Client, dagId: string, taskQueue: string, ticks: readonly Tick[]): Promise<string[]> {
  const { plan } = await scheduleOf(client, dagId);
  const started: string[] = [];
  for (const { interval } of ticks.filter(isOpen)) {
    const id = await startScheduledRun(client, plan, taskQueue, interval);
    if (id !== undefined) started.push(id);
  }
  return started;
}

/**
 * Starts the run of a tick as its Schedule would have.
 * @param schedule that the tick is of: the plan's, or the one that the plan has replaced
 * @returns its id; undefined when it is there already
 */
export async function startScheduledRun(
  client: Client,
  plan: Plan,
  taskQueue: string,
  interval: DataInterval,
  schedule: SchedulePlan | null = plan.schedule,
): Promise<string | undefined> {
  const workflowId = runIdOf({ dagId: plan.dagId, schedule }, interval);
  try {
    await client.workflow.start(plan.dagId, {
      workflowId,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      ...runStart(plan, 'scheduled', taskQueue, { interval }),
    });
    return workflowId;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
    throw error;
  }
}

/** The id that a Schedule gives to the run of an interval. */
function runIdOf({ dagId, schedule }: Pick<Plan, 'dagId' | 'schedule'>, { end }: DataInterval): string {
  const tick = Date.parse(end);
  return `${scheduledRunIdBase(dagId)}-${iso(schedule ? firingInstant(schedule, tick) : tick)}`;
}
