import type { Plan } from '../../workflows/plan/plan.ts';
import { type DataInterval, dataIntervalAround } from '../../workflows/plan/timetable/schedule.ts';
import type { SensorContext } from '../define-trigger.ts';
import { type Finding, type PollResult, pollSource } from '../run/poll.ts';
import type { EndedRun } from '../run/run-starts.ts';
import { pollFrom, type TimeCursor } from '../run/time-cursor.ts';

/** Milliseconds between looks. */
export const POLL_INTERVAL_MS = 2_000;
/** How long after its end a run may become visible, in milliseconds. */
export const VISIBILITY_LAG_MS = 300_000;

/** Starts a run for every run of another pipeline that has ended in one of certain states. */
export async function watchRuns(context: SensorContext): Promise<never> {
  const { trigger, plan, runs, since } = context;
  const { dag_id: dagId, states = ['success'], interval = 'same' } = trigger.source;
  /** What was handed on and could be found again, with its end. */
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

/** The data interval of a pipeline's own that another's run lies in. */
function covering({ schedule }: Plan, { interval }: EndedRun): DataInterval | undefined {
  return schedule && interval ? dataIntervalAround(schedule, Date.parse(interval.start)) : undefined;
}

function idOf({ runId, endedAt }: EndedRun): string {
  return `${runId}@${endedAt}`;
}

/** A run as the event that it is to others. */
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
