import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { isExpired, stateOfInterval } from '../../workflows/plan/timetable/interval-coverage.ts';
import { intervalsBetween } from '../../workflows/plan/timetable/intervals.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { isUnderWay } from '../../workflows/plan/runs/run.ts';
import { type DataInterval, dataIntervalAround, iso, type SchedulePlan } from '../../workflows/plan/timetable/schedule.ts';
import { intervalRuns } from '../runs/intervals.ts';
import { nameIn, type PipelineName, scheduledRunIdBase } from '../../workflows/plan/ids.ts';
import { expiryFor, retentionOf } from '../retention.ts';
import { runStart } from '../runs/run-start.ts';
import { summaryOf } from '../runs/runs.ts';
import { scheduleOf } from './schedule-facts.ts';
import { firingInstant } from './schedule-spec.ts';

/** One tick of a schedule, and its outcome. */
export interface Tick {
  /** When it was due: the end of the interval. ISO 8601. */
  readonly tick: string;
  readonly interval: DataInterval;
  /**
   * The state of its run (`success`, `running`, …), or `queued` in the schedule buffer, `skipped` if it was not wanted, `due` if the run
   * may still start, `expired` if Temporal no longer has the runs of that time, or `missing` if the run should have started and did not.
   */
  readonly state: string;
  /** Why the tick has no run. */
  readonly why?: string;
  readonly pipelineRunId?: string;
  /** For a tick without a run: the run of another interval that uses its id, so that it cannot be filled. */
  readonly idTakenBy?: string;
}

/** Maximum normal delay of a tick in addition to jitter, milliseconds. */
const GRACE = 60_000;
const MAX_TICKS = 10_000;

const EXPIRED = 'Temporal no longer keeps runs of that time, so it is unknown whether it ran. A backfill with --reprocess all runs it';
const DELETED = 'its schedule started a run, which was deleted from Temporal. A backfill with --reprocess all runs it';

/**
 * Lists the ticks of a pipeline, oldest first. Computed from the Schedule's definition and Temporal's runs; Sluice keeps no record of
 * ticks.
 * @param range milliseconds, for the starts of intervals; `from` absent: since `start_date`, else since the Schedule was created
 * @throws NotScheduled
 */
export async function listTicks(
  client: Client,
  name: PipelineName,
  range: { readonly from?: number; readonly to?: number } = {},
  now = Date.now(),
): Promise<Tick[]> {
  const { plan, taskQueue, createdAt, paused, held, startedRuns } = await scheduleOf(client, name);
  const { schedule } = plan;
  if (!schedule) return [];
  const expiredBefore = expiryFor(createdAt, await retentionOf(client), now);
  const from = range.from ?? Date.parse(schedule.startAt ?? dataIntervalAround(schedule, createdAt)?.start ?? iso(createdAt));
  const intervals = intervalsBetween(schedule, { from, to: range.to ?? now, now, limit: MAX_TICKS });
  const [first] = intervals;
  const runs = first ? await intervalRuns(client, plan, first.start, intervals.at(-1)?.end ?? first.end, taskQueue) : [];
  const states = new Map(intervals.map((interval) => [interval.start, stateOfInterval(interval, runs)]));
  // Buffered ticks come after the run that they wait for.
  const busy = intervals.find(({ start }) => isUnderWay(states.get(start)?.state ?? ''))?.start ?? '';
  return intervals.map((interval): Tick => {
    const tick = interval.end;
    const known = states.get(interval.start);
    if (known) return { tick, interval, ...known };
    if (held && interval.start > busy) return { tick, interval, state: 'queued', why: 'the run before has not ended' };
    const due = Date.parse(tick);
    const id = runIdOf(name, schedule, interval);
    const holder = runs.find(({ pipelineRunId }) => pipelineRunId === id);
    if (holder && due <= now) return takenTick(plan.dagId, interval, id, holder.interval);
    if (isExpired(interval, expiredBefore)) return { tick, interval, state: 'expired', why: EXPIRED };
    if (startedRuns.includes(id)) return { tick, interval, state: 'expired', why: DELETED };
    if (due < createdAt)
      return { tick, interval, state: 'skipped', why: `before the pipeline was applied, on ${iso(createdAt).slice(0, 16)}Z` };
    if (paused) return { tick, interval, state: 'skipped', why: `the schedule is paused${paused === true ? '' : `: ${paused}`}` };
    if (now - due <= GRACE + (schedule.jitterMs ?? 0)) return { tick, interval, state: 'due' };
    return { tick, interval, state: 'missing', why: 'it was due, and nothing ran' };
  });
}

/** A tick whose run cannot have its id: after a change of the schedule, two intervals may end at the same time. */
function takenTick(dagId: string, interval: DataInterval, id: string, by: DataInterval): Tick {
  const why = `${id} is the run of ${by.start} – ${by.end}: \`sluice backfill ${dagId} --from ${interval.start} --to ${interval.start}\` runs this one`;
  return { tick: interval.end, interval, state: 'missing', why, idTakenBy: id };
}

/** Whether a tick can be filled: it has no run, but should or could have one. */
export function isOpen({ state, idTakenBy }: Tick): boolean {
  return (state === 'missing' || state === 'skipped') && idTakenBy === undefined;
}

/** The outcome of filling ticks. */
export interface FilledTicks {
  /** The ids of the started runs; existing runs are left alone. */
  readonly started: readonly string[];
  /** Ticks whose id belongs to the run of another interval, with the fix in `why`. */
  readonly taken: readonly Tick[];
}

/** Starts runs for ticks without one, under the ids that the Schedule would have used. */
export async function fillTicks(client: Client, name: PipelineName, taskQueue: string, ticks: readonly Tick[]): Promise<FilledTicks> {
  const { plan } = await scheduleOf(client, name);
  const started: string[] = [];
  const taken = ticks.filter(({ idTakenBy }) => idTakenBy !== undefined);
  for (const { interval } of ticks.filter(isOpen)) {
    const { id, outcome, by } = await startScheduledRun(client, plan, taskQueue, interval, plan.schedule, name);
    if (outcome === 'started') started.push(id);
    if (by) taken.push(takenTick(plan.dagId, interval, id, by));
  }
  return { started, taken };
}

/** The outcome of starting the run of a tick. */
export interface TickStart {
  readonly id: string;
  readonly outcome: 'started' | 'is there';
  /** The interval of the run that has the id, if it is a different one. */
  readonly by?: DataInterval;
}

/**
 * Starts the run of a tick as its Schedule would.
 * @param schedule the schedule of the tick: the plan's, or the one that the plan replaced
 * @param name of the pipeline; default: its dag_id
 */
export async function startScheduledRun(
  client: Client,
  plan: Plan,
  taskQueue: string,
  interval: DataInterval,
  schedule: SchedulePlan | null = plan.schedule,
  name: PipelineName = plan.dagId,
): Promise<TickStart> {
  const id = runIdOf(name, schedule, interval);
  try {
    await client.workflow.start(plan.dagId, {
      workflowId: id,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      ...runStart(plan, 'scheduled', taskQueue, { interval }),
    });
    return { id, outcome: 'started' };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const run = await client.workflow.getHandle(id).describe();
    const own = nameIn(taskQueue, plan.dagId);
    // A deployment that had the name before has left this run.
    if (run.taskQueue !== taskQueue && name !== own) return startScheduledRun(client, plan, taskQueue, interval, schedule, own);
    const { state, interval: start, intervalEnd: end } = summaryOf(run);
    // A run that no worker has started yet has no interval: its Schedule started it for this interval.
    if (start === undefined || end === undefined) return { id, outcome: 'is there' };
    const by = { start, end };
    const isOther = !stateOfInterval(interval, [{ interval: by, state, pipelineRunId: id }]);
    return { id, outcome: 'is there', ...(isOther && { by }) };
  }
}

/** The id that a Schedule gives the run of an interval. */
function runIdOf(name: PipelineName, schedule: SchedulePlan | null, { end }: DataInterval): string {
  const tick = Date.parse(end);
  return `${scheduledRunIdBase(name)}-${iso(schedule ? firingInstant(schedule, tick) : tick)}`;
}
