/**
 * Where a job writes, and how the task publishes it. Each attempt that starts a job gives it a folder of its own: the job of an earlier
 * attempt may still be running on another host, and must not write into this result.
 */
export interface JobResult<R> {
  /** The job's `--output`; undefined: it writes nothing that the platform knows of. */
  readonly output: string | undefined;
  /** The result of an earlier attempt whose answer was lost: then the job need not run. */
  earlier(signal: AbortSignal): Promise<R | undefined>;
  /** Deletes everything there. */
  clear(signal: AbortSignal): Promise<void>;
  /** Publishes the job's files and returns the task's output as JSON; undefined if the job has not written anything. */
  publish(signal: AbortSignal): Promise<R | undefined>;
  /** Deletes files that are not part of the result. Also called by an attempt whose predecessor stopped after publishing. */
  tidy(signal: AbortSignal): Promise<void>;
  /** Advice for a job that wrote nothing, appended to `Job 'x' ended well but wrote nothing to …`. */
  readonly advice: string;
}

/** Maps the attempt that started a job to its place; jobs of earlier releases use the place of attempt 1. */
export type JobResults<R> = (attempt: number) => JobResult<R>;

/** How a job ended. */
export interface JobEnd<R> {
  readonly result: R;
  /** The attempt that started the job, and whose place contains its files. */
  readonly startedBy: number;
}

/** For a job that writes nothing that the platform knows of. */
export const NO_RESULT: JobResult<null> = {
  output: undefined,
  earlier: () => Promise.resolve(undefined),
  clear: () => Promise.resolve(),
  publish: () => Promise.resolve(null),
  tidy: () => Promise.resolve(),
  advice: '',
};

/** The folder for the job of an attempt: `data/`, `data-2/`. @param name of the first attempt's folder */
export function placeOf(name: string, attempt: number): string {
  return `${name}${attempt > 1 ? `-${attempt}` : ''}/`;
}
