import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import type { DataInterval } from '../../workflows/plan/timetable/schedule.ts';
import type { SensorContext } from '../define-trigger.ts';
import { ifRefused } from '../events/event-runs.ts';
import { InParallel } from './in-parallel.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** Something found at a source. */
export interface Finding {
  /** Identifies it within its source. */
  readonly id: string;
  /** Its names in older releases. */
  readonly formerNames?: readonly string[];
  readonly event: RunEvent;
  /** The data interval of its run; default: the schedule's interval at the time of the event. */
  readonly interval?: DataInterval;
  /** The items it covers, if more than one; recorded with the run. */
  readonly upTo?: string;
}

/** The result of a poll. */
export interface PollResult<C extends Json> {
  readonly found: readonly Finding[];
  readonly cursor: C;
  /** Whether there is more to read immediately. */
  readonly more?: boolean;
}

/** A source that is polled. */
export interface PolledSource<C extends Json> {
  /** Milliseconds between polls. */
  readonly every: number;
  /** The cursor of a sensor that has never polled. */
  begin(): Promise<C>;
  /** Returns everything after the cursor, in order, and the next cursor. Earlier findings may be returned again. */
  poll(cursor: C): Promise<PollResult<C>>;
}

/** Maximum number of runs being started at the same time. */
const MAX_CONCURRENT_STARTS = 50;

/** Polls a source until the signal is aborted. Its cursor moves on only after the server has the runs for everything found. */
export async function pollSource<C extends Json>(context: SensorContext, { every, begin, poll }: PolledSource<C>): Promise<never> {
  const { journal, signal, log } = context;
  for (;;) {
    let more = false;
    try {
      const cursor = (journal.cursor ?? (journal.cursor = await begin())) as C;
      const polled = await poll(cursor);
      await startFound(context, polled.found);
      journal.cursor = polled.cursor;
      more = polled.more === true;
      journal.obstacle = undefined;
    } catch (error) {
      if (signal.aborted || (error instanceof ApplicationFailure && error.nonRetryable)) throw error;
      journal.obstacle = errorText(error);
      log.warn('The source cannot be polled', { reason: journal.obstacle });
    }
    await delay(more ? 0 : every, undefined, { signal });
  }
}

async function startFound({ matcher, runs, journal, log }: SensorContext, found: readonly Finding[]): Promise<void> {
  const starts = new InParallel(MAX_CONCURRENT_STARTS);
  const reject = (id: string, reason: string): void => {
    journal.count('invalid');
    log.warn('An event starts no run', { id, reason });
  };
  for (const { id, event, interval, upTo, formerNames } of found) {
    journal.count('events');
    const match = matcher.match(event);
    if (match.kind === 'invalid') reject(id, match.reason);
    if (match.kind !== 'run') continue;
    journal.count('matches');
    await starts.add(
      runs
        .start(event, match, id, {
          ...(interval && { interval }),
          ...(upTo !== undefined && { upTo }),
          ...(formerNames && { formerNames }),
        })
        .then(
          () => undefined,
          ifRefused((reason) => reject(id, reason)),
        ),
    );
  }
  await starts.done();
}
