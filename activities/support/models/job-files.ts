import { formatS3Uri, getText, listObjects, parseS3Uri } from '../../../lib/s3.ts';
import type { Json } from '../../../workflows/plan/values/json.ts';
import { deleteAllUnder, deleteUnder } from '../dataset/delete-under.ts';
import type { Storage } from '../dataset/storage.ts';
import { askStorage } from '../dataset/storage-failure.ts';
import type { JobResult } from '../../spark/job-result.ts';

/** What a program has measured, as JSON; the one file whose name it has to know. */
export const METRICS_NAME = 'metrics.json';

/** What a program has left in its folder. */
export interface LeftFiles {
  /** How many files there are beside the metrics. */
  readonly files: number;
  readonly metrics: Json | undefined;
}

/** A folder in S3 that the program of an attempt fills as it likes. What begins with `_` or `.` there is its own, and goes when it has ended well. */
export class JobFiles<R> implements JobResult<R> {
  readonly output: string;
  readonly advice: string;
  readonly #storage: Storage;
  readonly #read: (left: LeftFiles) => R | undefined;

  /**
   * @param output `s3://bucket/prefix/`
   * @param read makes of it what the task needs; undefined where that is nothing
   */
  constructor(storage: Storage, output: string, advice: string, read: (left: LeftFiles) => R | undefined) {
    this.#storage = storage;
    this.output = output;
    this.advice = advice;
    this.#read = read;
  }

  /** The registry of models says what an earlier attempt has made. */
  earlier(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  clear(signal: AbortSignal): Promise<void> {
    return deleteAllUnder(this.#storage, parseS3Uri(this.output), signal);
  }

  async publish(signal: AbortSignal): Promise<R | undefined> {
    const prefix = parseS3Uri(this.output);
    return askStorage(this.#storage, prefix.bucket, `read ${formatS3Uri(prefix)}`, async () => {
      const objects = await listObjects(this.#storage.client, prefix, signal);
      const names = objects.map(({ key }) => key.slice(prefix.key.length));
      const files = names.filter((name) => !name.endsWith('/') && name !== METRICS_NAME && !isItsOwn(name)).length;
      const metrics = await getText(this.#storage.client, { bucket: prefix.bucket, key: prefix.key + METRICS_NAME }, signal);
      return this.#read({ files, metrics: metrics && parse(metrics.text) });
    });
  }

  tidy(signal: AbortSignal): Promise<void> {
    const prefix = parseS3Uri(this.output);
    return deleteUnder(this.#storage, prefix, (key) => !isItsOwn(key.slice(prefix.key.length)), signal);
  }
}

function isItsOwn(name: string): boolean {
  return /^[_.]/.test(name);
}

/** Python writes NaN, Infinity and -Infinity, which JSON does not have. */
function parse(text: string): Json {
  try {
    return JSON.parse(text.replace(/-?\b(NaN|Infinity)\b/g, 'null')) as Json;
  } catch {
    return null;
  }
}
