import type { Json } from '../../workflows/plan/values/json.ts';
import type { SensorContext } from '../define-trigger.ts';
import { type Finding, type PollResult, pollSource } from '../run/poll.ts';
import type { EndedRun } from '../run/run-starts.ts';
import { pollFrom, type TimeCursor } from '../run/time-cursor.ts';
import { eventOf, VISIBILITY_LAG_MS, POLL_INTERVAL_MS } from './watch-runs.ts';

/** In addition to the times: updates that already started runs, as far back as they may be found again. */
interface DatasetCursor extends TimeCursor {
  readonly done?: readonly string[];
}

/**
 * Starts runs when datasets are updated, that is when a run succeeds whose pipeline has them as outlets. Each update belongs to one run:
 * its own, or with `all` and `coalesce` one that covers several. Such a run is named after its first update and records all its updates, so
 * that a sensor that finds it after a crash recognizes them.
 */
export async function watchDatasets(context: SensorContext): Promise<never> {
  const { trigger, runs, since } = context;
  const { all, any, coalesce } = trigger.source;
  const uris = (all ?? any ?? []) as readonly string[];
  return pollSource<DatasetCursor>(context, {
    every: POLL_INTERVAL_MS,
    begin: () => Promise.resolve({ since }),
    async poll(cursor): Promise<PollResult<DatasetCursor>> {
      const from = pollFrom(cursor, VISIBILITY_LAG_MS);
      const updates = await runs.ended({ datasets: uris }, from);
      const known = new Set(cursor.done);
      const latest = updates.at(-1)?.endedAt ?? cursor.latest ?? cursor.since;
      // Remember only updates that can be found again.
      const still = new Set(updates.map(idOf));
      const after = (done: Iterable<string>): DatasetCursor => ({ ...cursor, latest, done: [...done].filter((id) => still.has(id)) });
      let open = updates.filter((update) => !known.has(idOf(update)));
      const groups: EndedRun[][] = [];
      if (!all && coalesce !== true) groups.push(...open.map((update) => [update]));
      else {
        const first = open[0];
        // The run may have started just before this sensor died, without being recorded in its cursor.
        const listed = first && isComplete(open, all) ? await runs.upTo(nameOf(first)) : undefined;
        if (listed !== undefined) {
          for (const id of JSON.parse(listed) as string[]) known.add(id);
          open = open.filter((update) => !known.has(idOf(update)));
        }
        if (open.length > 0 && isComplete(open, all)) groups.push(open);
      }
      const found = groups.map((group) => findingOf(group, uris));
      return { found, cursor: after([...known, ...groups.flat().map(idOf)]) };
    },
  });
}

/** Whether every required dataset has an update. */
function isComplete(updates: readonly EndedRun[], all: Json | undefined): boolean {
  return !Array.isArray(all) || (all as readonly string[]).every((uri) => updates.some(({ datasets }) => datasets.includes(uri)));
}

function findingOf(updates: readonly EndedRun[], uris: readonly string[]): Finding {
  const [first, last] = [updates[0], updates.at(-1)] as [EndedRun, EndedRun];
  const events = updates.map((update) => ({
    ...(eventOf(update).value as Readonly<Record<string, Json>>),
    datasets: update.datasets.filter((uri) => uris.includes(uri)),
  }));
  return {
    id: nameOf(first),
    event: { value: { updates: events, count: events.length }, meta: { timestamp: last.endedAt } },
    ...(last.interval && { interval: last.interval }),
    upTo: JSON.stringify(updates.map(idOf)),
  };
}

function idOf({ runId, endedAt }: EndedRun): string {
  return `${runId}@${endedAt}`;
}

function nameOf(update: EndedRun): string {
  return idOf(update);
}
