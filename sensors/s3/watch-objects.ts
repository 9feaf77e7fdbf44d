import { createHash } from 'node:crypto';
import { matchesGlob } from '../../lib/glob.ts';
import { listPages, openS3, type S3Object } from '../../lib/s3.ts';
import { parseDuration } from '../../workflows/plan/values/duration.ts';
import type { SensorContext } from '../define-trigger.ts';
import { type Finding, type PollResult, pollSource } from '../run/poll.ts';
import { pollFrom, type TimeCursor } from '../run/time-cursor.ts';
import { StartedObjects } from './started-objects.ts';
import { Oldest } from './oldest.ts';

/**
 * How long after its time an object may become visible, in milliseconds: a large upload is dated by its start. A restarted sensor processes
 * younger objects again; their runs already exist, and are not started twice.
 */
const LATE = 86_400_000;
/** Maximum number of objects processed per listing, oldest first; another listing follows at once for the rest. */
const MOST_AT_ONCE = 10_000;
/** Maximum number of remembered objects: about 25 MB. */
const MOST_REMEMBERED = 100_000;

/** Starts a run for every object that is new or has changed since the sensor started. */
export async function watchObjects(context: SensorContext): Promise<never> {
  const { trigger, since, signal } = context;
  const { bucket, prefix, pattern, poke_interval: every, folder_markers: markers } = trigger.source;
  const client = openS3(context.connection(['aws']));
  /** Processed objects that may be listed again. */
  const seen = new StartedObjects(MOST_REMEMBERED);
  /** The last processed object, while there are more after it. */
  let last: S3Object | undefined;
  const isWanted = ({ key, size }: S3Object): boolean =>
    (markers === true || size > 0 || !key.endsWith('/')) &&
    (typeof pattern !== 'string' || matchesGlob(key, pattern) || matchesGlob(nameOf(key), pattern));
  try {
    return await pollSource<TimeCursor>(context, {
      every: parseDuration(String(every ?? '1m')) ?? 60_000,
      // S3 reports times in whole seconds.
      begin: () => Promise.resolve({ since: new Date(Math.floor(Date.parse(since) / 1000) * 1000).toISOString() }),
      async poll(cursor): Promise<PollResult<TimeCursor>> {
        const from = Date.parse(pollFrom(cursor, LATE));
        seen.forgetBefore(from);
        const fresh = new Oldest(MOST_AT_ONCE, byTime);
        for await (const page of listPages(client, { bucket: String(bucket), key: typeof prefix === 'string' ? prefix : '' }, signal)) {
          for (const object of page) {
            const isBehind = last === undefined || byTime(object, last) > 0;
            if (object.modified >= from && isBehind && isWanted(object) && !seen.has(idOf(object))) fresh.add(object);
          }
        }
        const { first, more } = fresh.take();
        // An object dated in the future must not hide earlier ones.
        const now = Date.now();
        for (const object of first) seen.add(idOf(object), Math.min(object.modified, now));
        const newest = Math.max(Date.parse(cursor.latest ?? cursor.since), Math.min(first.at(-1)?.modified ?? 0, now));
        last = more ? first.at(-1) : undefined;
        return {
          found: first.map((object) => findingOf(String(bucket), object)),
          cursor: { ...cursor, latest: new Date(newest).toISOString() },
          more,
        };
      },
    });
  } finally {
    client.destroy();
  }
}

function byTime(a: S3Object, b: S3Object): number {
  return a.modified - b.modified || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/** The event of an object of a bucket. */
export function findingOf(bucket: string, object: S3Object): Finding {
  const { key, size, etag, modified } = object;
  const timestamp = new Date(modified).toISOString();
  return {
    id: idOf(object),
    formerNames: [formerIdOf(object)],
    event: { value: { bucket, key, size, etag, last_modified: timestamp }, meta: { timestamp, key } },
  };
}

/** Older releases replaced longer keys by their hash. */
const MAX_FORMER_KEY = 300;

function formerIdOf(object: S3Object): string {
  const { key } = object;
  return idOf({ ...object, key: key.length <= MAX_FORMER_KEY ? key : createHash('sha256').update(key).digest('hex') });
}

function idOf({ key, etag, modified }: S3Object): string {
  return `${key}@${new Date(modified).toISOString().replace('.000Z', 'Z')}-${etag.slice(0, 8)}`;
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
