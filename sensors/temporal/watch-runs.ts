import type { Plan } from '../../workflows/plan/plan.ts';
import { type DataInterval, dataIntervalAround } from '../../workflows/plan/timetable/schedule.ts';
import type { SensorContext } from '../define-trigger.ts';
import { type Finding, type PollResult, pollSource } from '../run/poll.ts';
import type { EndedRun } from '../run/run-starts.ts';
import { pollFrom, type TimeCursor } from '../run/time-cursor.ts';

/** Milliseconds between polls. */
export const POLL_INTERVAL_MS = 2_000;
/** How long after its end a run may become visible, in milliseconds. */
export const VISIBILITY_LAG_MS = 300_000;

/** Starts a run for every run of another pipeline that ends in one of the given states. */
export async function watchRuns(context: SensorContext): Promise<never> {
  const { trigger, plan, runs, since } = context;
  const { dag_id: dagId, states = ['success'], interval = 'same' } = trigger.source;
  /** Processed runs that may be found again, with their end times. */
  const seen = new Map<string, string>();
  return pollSource<TimeCursor>(context, {
    every: POLL_INTERVAL_MS,
    begin: () => Promise.resolve({ since }),
    async poll(cursor): Promise<PollResult<TimeCursor>> {
      const from = pollFrom(cursor, VISIBILITY_LAG_MS);
      const ended = await runs.ended({ dagId: String(dagId) }, from);
      for (const [id, endedAt] of seen) if (Date.parse(endedAt) < Date.parse(from)) seen.delete(id);
      const fresh = ended.filter((run) => (states as readonly string[]).includes(run.state) && !seen.has(idOf(run)));
      for (const run of fresh) seen.set(idOf(run), run.endedAt);
      const found = fresh.map((run): Finding => {
        const works = interval === 'covering' ? (covering(plan, run) ?? run.interval) : run.interval;
        return { id: idOf(run), event: eventOf(run), ...(works && { interval: works }) };
      });
      return { found, cursor: { ...cursor, latest: ended.at(-1)?.endedAt ?? cursor.latest ?? cursor.since } };
    },
  });
}

/** The pipeline's own data interval that contains another run's interval. */
function covering({ schedule }: Plan, { interval }: EndedRun): DataInterval | undefined {
  return schedule && interval ? dataIntervalAround(schedule, Date.parse(interval.start)) : undefined;
}

function idOf({ runId, endedAt }: EndedRun): string {
  return `${runId}@${endedAt}`;
}

/** The event that a run is for other pipelines. */
export function eventOf({ runId, dagId, state, cause, interval, endedAt }: EndedRun): Finding['event'] {
  return {
    value: {
      run_id: runId,
      dag_id: dagId,
      state,
      cause,
      ...(interval && { data_interval_start: interval.start, data_interval_end: interval.end }),
    },
    meta: { timestamp: endedAt },
  };
}
