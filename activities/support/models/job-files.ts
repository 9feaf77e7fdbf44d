import { formatS3Uri, getText, listObjects, parseS3Uri } from '../../../lib/s3.ts';
import type { Json } from '../../../workflows/plan/values/json.ts';
import { deleteAllUnder, deleteUnder } from '../dataset/delete-under.ts';
import type { Storage } from '../dataset/storage.ts';
import { askStorage } from '../dataset/storage-failure.ts';
import type { JobResult } from '../../spark/job-result.ts';

/** The program's metrics as JSON: the only file whose name the program must know. */
export const METRICS_NAME = 'metrics.json';

/** The files that a program has written to its folder. */
export interface LeftFiles {
  /** Number of files besides the metrics. */
  readonly files: number;
  readonly metrics: Json | undefined;
}

/** An S3 folder that an attempt's program fills freely. Names that begin with `_` or `.` are internal to it, and deleted on success. */
export class JobFiles<R> implements JobResult<R> {
  readonly output: string;
  readonly advice: string;
  readonly #storage: Storage;
  readonly #read: (left: LeftFiles) => R | undefined;

  /**
   * @param output `s3://bucket/prefix/`
   * @param read converts the files to the task's result; undefined if there is none
   */
  constructor(storage: Storage, output: string, advice: string, read: (left: LeftFiles) => R | undefined) {
    this.#storage = storage;
    this.output = output;
    this.advice = advice;
    this.#read = read;
  }

  /** The model registry knows the result of an earlier attempt. */
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

/** Python writes NaN, Infinity and -Infinity, which JSON does not allow. */
function parse(text: string): Json {
  try {
    return JSON.parse(text.replace(/-?\b(NaN|Infinity)\b/g, 'null')) as Json;
  } catch {
    return null;
  }
}
