/** Where a job writes, and what the task makes of it. Every attempt of a task in a run has the same place, and no other task has. */
export interface JobResult<R> {
  /** The job's `--output`; undefined: it writes nothing that the platform knows of. */
  readonly output: string | undefined;
  /** What an earlier attempt has published whose answer was lost; the job then need not run. */
  earlier(signal: AbortSignal): Promise<R | undefined>;
  /** Deletes everything there, so that what one attempt leaves never mixes with what the next one writes. */
  clear(signal: AbortSignal): Promise<void>;
  /** What the task gives, JSON, of what the job has left; undefined when the job has not written at all. */
  publish(signal: AbortSignal): Promise<R | undefined>;
  /** Deletes what is not part of it. Also for an attempt whose predecessor got just as far as publishing. */
  tidy(signal: AbortSignal): Promise<void>;
  /** What to do when the job has not written, after `Job 'x' ended well but wrote nothing to …`. */
  readonly advice: string;
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
