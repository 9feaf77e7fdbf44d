import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { AwsConnection } from '../../lib/s3.ts';
import type { SparkConnection } from '../../connections/spark.ts';
import { linkedController } from '../../lib/linked-controller.ts';
import { withinTime } from '../../lib/time-limit.ts';
import type { DatasetReference } from '../../workflows/plan/datasets/dataset.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import { openDatasetOutput } from '../support/dataset/open-dataset-output.ts';
import { readInput } from '../support/dataset/read-manifest.ts';
import { openStorage } from '../support/dataset/storage.ts';
import type { TaskContext } from '../define-task.ts';
import { platformFault, userFault } from '../run/errors.ts';
import { checkSparkPolicy } from './check-policy.ts';
import { type DetachedProcess, isAlive, type ProcessExit, readExit, readProcess, startProcess, terminate } from './detached-process.ts';
import { findSparkSubmit } from './find-spark-submit.ts';
import { jobFailure, SEARCHED_BYTES } from './job-failure.ts';
import { findJobFile, type JobFile } from './job-file.ts';
import { LogFollower, readLogLine, tailOf } from './job-log.ts';
import { DatasetResult } from './dataset-result.ts';
import { type JobEnd, type JobResult, type JobResults, NO_RESULT } from './job-result.ts';
import { childUser } from '../support/programs/child-user.ts';
import type { SparkJobParams } from './spark-job-params.ts';
import { sparkEnvironment, sparkSubmitArguments, temporaryFolder } from './spark-submit-arguments.ts';
import { StateFolder, sweepStateFolders } from './state-folder.ts';

const POLL_MS = 200;
const PROGRESS_MS = 1_000;
/** Time for Spark to remove its executors and temporary files. */
const GRACE_MS = 5_000;
const CLEAN_UP_MS = 30_000;

export type SparkJobContext = Omit<TaskContext, 'connections'> & {
  readonly connections: { readonly spark: SparkConnection; readonly storage: AwsConnection };
};

/** Runs one job to its end and publishes the dataset that it wrote. */
export async function runSparkJob(ctx: SparkJobContext, params: SparkJobParams): Promise<DatasetReference | null> {
  const storage = openStorage(ctx.connections.storage, params.aws_conn_id ?? 'aws_default');
  try {
    if (ctx.input?.checksum !== undefined) await readInput(storage, ctx.input, ctx.signal);
    const output = openDatasetOutput(ctx, storage);
    if (output === undefined && params.min_rows !== undefined)
      throw userFault('InvalidParameters', '`min_rows` counts the rows of a dataset, but no later task reads one. Remove it.');
    if (output === undefined) return (await submitJob<null>(ctx, params, () => NO_RESULT)).result;
    const results = (attempt: number): DatasetResult => new DatasetResult(storage, output, attempt, ctx.run === undefined, params.min_rows);
    return (await submitJob<DatasetReference>(ctx, params, results)).result;
  } finally {
    storage.client.destroy();
  }
}

/**
 * Runs one job to its end. The job is a process that outlives this attempt: after a worker's death, the next attempt on the same host takes
 * it over, and a worker that shuts down leaves it to the next one.
 * @returns the result that `results` publishes
 */
export async function submitJob<R>(ctx: SparkJobContext, params: SparkJobParams, results: JobResults<R>): Promise<JobEnd<R>> {
  checkSparkPolicy(params, ctx.connections.spark);
  const job = findJobFile(params);
  const program = findSparkSubmit(ctx.connections.spark);
  const folder = await StateFolder.open(ctx.idempotencyKey);
  const attempt = new SparkJobAttempt(ctx, params, job, program, folder, results);
  try {
    return await attempt.run();
  } finally {
    attempt.close();
  }
}

class SparkJobAttempt<R> {
  readonly #ctx: SparkJobContext;
  readonly #params: SparkJobParams;
  readonly #job: JobFile;
  readonly #program: string;
  readonly #folder: StateFolder;
  readonly #results: JobResults<R>;
  /** The attempt that started the job. */
  #startedBy: number;
  #deadlineReached = false;
  readonly #timer: NodeJS.Timeout;
  /** Aborted with the task, and at the deadline. */
  readonly #stopping: AbortController;
  readonly #stop: AbortSignal;

  constructor(ctx: SparkJobContext, params: SparkJobParams, job: JobFile, program: string, folder: StateFolder, results: JobResults<R>) {
    this.#ctx = ctx;
    this.#params = params;
    this.#job = job;
    this.#program = program;
    this.#folder = folder;
    this.#results = results;
    this.#startedBy = ctx.attempt;
    // Stop just before the server times this attempt out: afterwards the next one may already have started the job.
    const { startToCloseTimeoutMs: timeout } = Context.current().info;
    const margin = Math.min(GRACE_MS, timeout / 10);
    // setTimeout treats more than 2^31 - 1 ms (24 days) as no delay, so limit it.
    const atDeadline = (): void => {
      this.#deadlineReached = true;
      this.#stopping.abort();
    };
    this.#timer = setTimeout(atDeadline, timeout > 0 ? Math.min(timeout - margin, 2 ** 31 - 1) : 2 ** 31 - 1);
    this.#stopping = linkedController(ctx.signal);
    this.#stop = this.#stopping.signal;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#stopping.abort();
  }

  get #result(): JobResult<R> {
    return this.#results(this.#startedBy);
  }

  async run(): Promise<JobEnd<R>> {
    const earlier = await this.#result.earlier(this.#stop);
    if (earlier !== undefined) return this.#finish(earlier);
    const process = (await this.#takeUp()) ?? (await this.#start());
    this.#startedBy = process.attempt ?? 1;
    try {
      const published = await this.#folder.result();
      if (published !== undefined) return await this.#finish(published as R);
      const exit = await this.#follow(process);
      if (!(await this.#folder.isOurs())) throw platformFault('SparkFailed', 'A later attempt on this host has taken this task over.');
      if (exit?.code !== 0) throw await this.#failure(exit);
      const result = await this.#publish();
      await this.#folder.saveResult(result);
      return await this.#finish(result);
    } catch (error) {
      if (this.#stop.aborted) await this.#abandon(process);
      throw error;
    }
  }

  /** The job that an earlier attempt started on this host, running or ended. */
  async #takeUp(): Promise<DetachedProcess | undefined> {
    const { log } = this.#ctx;
    const earlier = await readProcess(this.#folder.path);
    if (!earlier) return undefined;
    const isSameOrder = (earlier.order ?? this.#order()) === this.#order();
    if (earlier.host === hostname() && earlier.run === runId() && isSameOrder) {
      if (isAlive(earlier)) {
        log.info('The job runs on since an earlier attempt: waiting for it', { pid: earlier.pid });
        return earlier;
      }
      if (await readExit(this.#folder.path)) {
        log.info('The job has ended since an earlier attempt: taking its result', { pid: earlier.pid });
        return earlier;
      }
      log.warn('The job of an earlier attempt was killed: starting it again', { pid: earlier.pid });
    }
    // End leftovers whose result no one needs: processes of a killed job, a job from before a reset, or a job with other parameters.
    await terminate(earlier, GRACE_MS);
    return undefined;
  }

  async #start(): Promise<DetachedProcess> {
    const { ctx, folder } = { ctx: this.#ctx, folder: this.#folder };
    await sweepStateFolders();
    await folder.reset();
    await this.#result.clear(this.#stop);
    this.#stop.throwIfAborted();
    const { spark, storage } = ctx.connections;
    const submission = {
      program: this.#program,
      job: this.#job,
      applicationName: `${ctx.dagId}.${ctx.task} ${ctx.interval.start}`,
      params: this.#params,
      spark,
      storage,
      interval: ctx.interval,
      input: ctx.input?.uri,
      output: this.#result.output,
      work: folder.work,
    };
    const argv = sparkSubmitArguments(submission);
    await mkdir(temporaryFolder(folder.work), { recursive: true, mode: 0o700 });
    const user = childUser();
    const purpose = { run: runId(), attempt: ctx.attempt, order: this.#order() };
    await folder.giveWork(user);
    const process = await startProcess(folder.path, purpose, argv, sparkEnvironment(submission), user);
    ctx.log.info('Job started', { job: this.#job.name, pid: process.pid, host: process.host, logFile: folder.logFile });
    return process;
  }

  /** Passes on the job's log until it ends; undefined if it vanished without an exit code. */
  async #follow(process: DetachedProcess): Promise<ProcessExit | undefined> {
    const { ctx, folder } = { ctx: this.#ctx, folder: this.#folder };
    const follower = new LogFollower(folder.logFile, resumeOffset(ctx.resumePoint, process));
    let stage: string | undefined;
    const onLine = (text: string): void => {
      const line = readLogLine(text);
      if (line.stage) stage = line.stage;
      ctx.log[line.level](this.#ctx.scrub(line.text));
    };
    for (let reported = 0; ;) {
      const exit = (await readExit(folder.path)) ?? (isAlive(process) ? 'running' : await readExit(folder.path));
      await follower.read(onLine, exit !== 'running');
      if (exit !== 'running') return exit;
      if (Date.now() - reported >= PROGRESS_MS) {
        reported = Date.now();
        ctx.progress({ host: process.host, pid: process.pid, job: this.#job.name, ...(stage && { stage }), logOffset: follower.offset });
      }
      await sleep(POLL_MS, undefined, { signal: this.#stop });
    }
  }

  async #publish(): Promise<R> {
    let published: R | undefined;
    try {
      published = await this.#result.publish(this.#stop);
    } catch (error) {
      // The result stays invalid until the job runs again.
      if (error instanceof ApplicationFailure && error.nonRetryable === true) await this.#folder.retire(this.#ctx.scrub);
      throw error;
    }
    if (published !== undefined) return published;
    await this.#folder.retire(this.#ctx.scrub);
    const { output, advice } = this.#result;
    throw userFault('DatasetNotFound', `Job '${this.#job.name}' ended well but wrote nothing to ${output}, ${advice}`);
  }

  async #finish(result: R): Promise<JobEnd<R>> {
    await this.#result.tidy(this.#stop);
    await this.#folder.finish(this.#ctx.scrub);
    return { result, startedBy: this.#startedBy };
  }

  /** Equal for attempts that want the same work: a champion to compare with may have changed in between. */
  #order(): string {
    const { input } = this.#ctx;
    return createHash('sha256')
      .update(JSON.stringify([this.#params, input?.uri ?? null]))
      .digest('hex');
  }

  async #failure(exit: ProcessExit | undefined): Promise<Error> {
    const log = (await tailOf(this.#folder.logFile, SEARCHED_BYTES)).map((line) => this.#ctx.scrub(line));
    await this.#result.clear(this.#stop);
    const logFile = await this.#folder.retire(this.#ctx.scrub);
    return jobFailure({ name: this.#job.name, exit, host: hostname(), log, logFile });
  }

  /** Cleans up after an aborted attempt: leaves the running job to the next worker, or nothing if the task is over. */
  async #abandon(process: DetachedProcess): Promise<void> {
    const { ctx } = { ctx: this.#ctx };
    if (ctx.workerShutsDown() || !(await this.#folder.isOurs())) return;
    await terminate(process, GRACE_MS);
    // If the server abandoned the attempt for another reason, its successor may run elsewhere.
    const over = this.#deadlineReached || Context.current().cancellationDetails?.cancelRequested === true;
    if (over) await withinTime(CLEAN_UP_MS, undefined, (signal) => this.#result.clear(signal));
    await this.#folder.retire(this.#ctx.scrub);
    if (!this.#deadlineReached || ctx.signal.aborted) return;
    // The server records the timeout itself; if it is late, the attempt still fails.
    await sleep(4 * GRACE_MS, undefined, { signal: ctx.signal }).catch(() => undefined);
    if (!ctx.signal.aborted) throw platformFault('SparkFailed', `Job '${this.#job.name}' was ended: it had reached 'execution_timeout'.`);
  }
}

/** Unique per start of a workflow: a run that is reset to before this task starts it again under the same workflow id. */
function runId(): string {
  return Context.current().info.workflowExecution?.runId ?? '';
}

/** The log offset that an earlier attempt has reached. */
function resumeOffset(point: Json | undefined, process: DetachedProcess): number {
  if (typeof point !== 'object' || point === null || Array.isArray(point)) return 0;
  const { host, pid, logOffset } = point as { host?: Json; pid?: Json; logOffset?: Json };
  return host === process.host && pid === process.pid && typeof logOffset === 'number' ? logOffset : 0;
}
