/**
 * Where a job writes, and what the task makes of it. Every attempt that starts a job gives it a place of its own: the job of an earlier attempt
 * may still be running on another host, and must not write into the result of this one.
 */
export interface JobResult<R> {
  /** The job's `--output`; undefined: it writes nothing that the platform knows of. */
  readonly output: string | undefined;
  /** What an earlier attempt has published whose answer was lost; the job then need not run. */
  earlier(signal: AbortSignal): Promise<R | undefined>;
  /** Deletes everything there. */
  clear(signal: AbortSignal): Promise<void>;
  /** What the task gives, JSON, of what the job has left; undefined when the job has not written at all. */
  publish(signal: AbortSignal): Promise<R | undefined>;
  /** Deletes what is not part of it. Also for an attempt whose predecessor got just as far as publishing. */
  tidy(signal: AbortSignal): Promise<void>;
  /** What to do when the job has not written, after `Job 'x' ended well but wrote nothing to …`. */
  readonly advice: string;
}

/** The number of the attempt that started a job → its place; the place of attempt 1 is also that of jobs of earlier releases. */
export type JobResults<R> = (attempt: number) => JobResult<R>;

/** How a job ended. */
export interface JobEnd<R> {
  readonly result: R;
  /** The attempt that started it, whose place holds what it has written. */
  readonly startedBy: number;
}

/** Of a job that writes nothing that the platform knows of. */
export const NO_RESULT: JobResult<null> = {
  output: undefined,
  earlier: () => Promise.resolve(undefined),
  clear: () => Promise.resolve(),
  publish: () => Promise.resolve(null),
  tidy: () => Promise.resolve(),
  advice: '',
};

/** The folder that the job of an attempt writes to: `data/`, `data-2/`. @param name of the folder of the first */
export function placeOf(name: string, attempt: number): string {
  return `${name}${attempt > 1 ? `-${attempt}` : ''}/`;
}
