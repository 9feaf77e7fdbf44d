import { createHash } from 'node:crypto';
import { matchesGlob } from '../../lib/glob.ts';
import { listObjects, openS3, type S3Object } from '../../lib/s3.ts';
import { parseDuration } from '../../workflows/plan/duration.ts';
import type { SensorContext } from '../define-trigger.ts';
import { type Finding, type Look, pollSource } from '../poll.ts';
import { lookFrom, type TimeCursor } from '../start-over.ts';

/**
 * How long after its time an object may appear, in milliseconds: that of a large upload is when it began. What is younger is looked at again
 * by a sensor that begins anew; its run is there, and is not started twice.
 */
const LATE = 86_400_000;

/** Starts a run for every object that is new or has changed since the sensor began. */
export async function watchObjects(context: SensorContext): Promise<never> {
  const { trigger, since, signal } = context;
  const { bucket, prefix, pattern, poke_interval: every } = trigger.source;
  const client = openS3(context.connection(['aws']));
  /** What was handed on and could be found again, with its time. */
  const seen = new Map<string, number>();
  const isWanted = ({ key }: S3Object): boolean =>
    typeof pattern !== 'string' || matchesGlob(key, pattern) || matchesGlob(nameOf(key), pattern);
  try {
    return await pollSource<TimeCursor>(context, {
      every: parseDuration(String(every ?? '1m')) ?? 60_000,
      // S3 tells times in whole seconds.
      begin: () => Promise.resolve({ since: new Date(Math.floor(Date.parse(since) / 1000) * 1000).toISOString() }),
      async look(cursor): Promise<Look<TimeCursor>> {
        const objects = await listObjects(client, { bucket: String(bucket), key: typeof prefix === 'string' ? prefix : '' }, signal);
        const from = Date.parse(lookFrom(cursor, LATE));
        for (const [id, modified] of seen) if (modified < from) seen.delete(id);
        const fresh = objects
          .filter((object) => object.modified >= from && isWanted(object) && !seen.has(idOf(object)))
          .sort((a, b) => a.modified - b.modified || (a.key < b.key ? -1 : 1));
        for (const object of fresh) seen.set(idOf(object), object.modified);
        const newest = Math.max(Date.parse(cursor.latest ?? cursor.since), fresh.at(-1)?.modified ?? 0);
        return {
          found: fresh.map((object) => findingOf(String(bucket), object)),
          cursor: { ...cursor, latest: new Date(newest).toISOString() },
        };
      },
    });
  } finally {
    client.destroy();
  }
}

function findingOf(bucket: string, object: S3Object): Finding {
  const { key, size, etag, modified } = object;
  const timestamp = new Date(modified).toISOString();
  return { id: idOf(object), event: { value: { bucket, key, size, etag, last_modified: timestamp }, meta: { timestamp, key } } };
}

/** Longer keys become their hash. */
const MAX_KEY = 300;

function idOf({ key, etag, modified }: S3Object): string {
  const name = key.length <= MAX_KEY ? key : createHash('sha256').update(key).digest('hex');
  return `${name}@${new Date(modified).toISOString().replace('.000Z', 'Z')}-${etag.slice(0, 8)}`;
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
