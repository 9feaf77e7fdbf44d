import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { CallbackError, failOnCallbackError } from '../../lib/callback-errors.ts';
import type { ConnectionKind, ConnectionOf } from '../../connections/catalog.ts';
import type { Connections } from '../../connections/connections.ts';
import { ConnectionError } from '../../connections/parse.ts';
import { DriverMissing } from '../../lib/driver.ts';
import { scrub, type Scrubber } from '../../lib/scrubbing/scrub.ts';
import { withCurrentNames } from '../../lib/current-names.ts';
import { exactJsonText } from '../../workflows/plan/values/exact-json.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { RetryRule } from '../../workflows/plan/plan.ts';
import { Evaluator, ExpressionFailed } from '../../workflows/plan/expressions/evaluator.ts';
import type { BatchItem, TaskInput } from '../../workflows/plan/tasks/task-input.ts';
import { checkParams, fitParams } from './check-params.ts';
import type { TaskType } from '../define-task.ts';
import { platformFault, userFault } from './errors.ts';
import { scheduleLastCheck, withCheckTimeout } from './last-check.ts';
import { runFolder } from '../support/dataset/run-folder.ts';
import type { OutputStore } from './output-store.ts';
import type { RunLookup } from './run-lookup.ts';

/** Dependencies that a worker provides to its tasks. */
export interface TaskDependencies {
  readonly connections: Connections;
  /** Hides the secrets of the connections in texts for people. */
  readonly secrets: Scrubber;
  /** Stores outputs that are too large for a history; without it they are refused. */
  readonly outputs: OutputStore | undefined;
  readonly runs: RunLookup;
}

/** Runs a task type as an activity: heartbeats, connections, cancellation, retry rules, and the output's size limit. */
export async function runTask(
  taskType: TaskType,
  { connections, secrets, outputs, runs }: TaskDependencies,
  input: TaskInput,
): Promise<Json> {
  const activity = Context.current();
  const { info } = activity;
  const startedAt = performance.now();
  let lastProgress: Json | undefined = info.heartbeatDetails as Json | undefined;
  const heartbeat = (): void => activity.heartbeat(lastProgress);
  // Heartbeats run on a timer of their own, independent of the task's work: silence means that the worker died.
  heartbeat();
  const timer = setInterval(heartbeat, Math.max(500, (info.heartbeatTimeoutMs ?? 15_000) / 3));

  const runOnce = async ({ params: given, output, values }: BatchItem, suffix: string, signal: AbortSignal): Promise<Json> => {
    const named = withCurrentNames(taskType.params, given);
    const params = input.rendered ? fitParams(taskType, named) : named;
    if (input.rendered) checkParams(taskType, params);
    const { workflowId = '', runId = '' } = info.workflowExecution ?? {};
    // An interval that is rerun reuses its workflow id, but its effects are new.
    const task = `${info.activityId}${suffix}`;
    // Few task types evaluate expressions themselves.
    let made: Evaluator | undefined;
    const evaluator = (): Evaluator => (made ??= new Evaluator({}, input.timezone));
    const identity = [workflowId, ...(input.run ? [runId] : []), task].join('/');
    const result = await taskType.run(
      {
        pipelineRunId: input.run?.pipelineRunId ?? workflowId,
        dagId: input.run?.dagId ?? info.workflowType ?? '',
        ...(input.run && { run: input.run }),
        task,
        attempt: info.attempt,
        ...(input.planHash !== undefined && { planHash: input.planHash }),
        interval: input.interval,
        idempotencyKey: identity,
        input: input.input,
        output: output !== undefined && input.run ? output + runFolder({ run: input.run, task, idempotencyKey: identity }) : output,
        intervalFolder: output,
        connections: resolveConnections(taskType, connections, params),
        connection: (name, types) => getConnection(connections, name, types),
        timezone: input.timezone ?? 'UTC',
        holds: (condition, own) => holds(evaluator(), condition, { ...values, ...own }),
        evaluate: (expression, own) => evaluator().evaluate(expression, { ...values, ...own }),
        scrub: (text) => scrub(text, secrets),
        runs,
        signal,
        workerShutsDown: () => activity.cancellationDetails?.workerShutdown ?? false,
        givenUp: () =>
          activity.cancellationDetails !== undefined &&
          !activity.cancellationDetails.cancelRequested &&
          !activity.cancellationDetails.workerShutdown,
        progress(point) {
          lastProgress = point;
          heartbeat();
        },
        resumePoint: info.heartbeatDetails as Json | undefined,
        log: activity.log,
      },
      params as Record<string, Json>,
    );
    // Outputs in S3 leave the worker too, so hide secrets first.
    const clean = secrets.hideIn(result);
    return keepable(taskType, { identity: [workflowId, runId, task].join('/'), output: clean, most: mostBytes(input) }, outputs, signal);
  };

  try {
    const work = (signal: AbortSignal): Promise<Json> =>
      input.batch ? runBatch(input.batch, (item, suffix) => runOnce(item, suffix, signal)) : runOnce(input, '', signal);
    return await failOnCallbackError(`${info.workflowExecution?.workflowId}/${info.activityId}`, activity.cancellationSignal, (signal) =>
      taskType.waits
        ? withCheckTimeout(info, signal, taskType.summary(withCurrentNames(taskType.params, input.params) as never), work)
        : work(signal),
    );
  } catch (error) {
    if (activity.cancellationDetails?.workerShutdown) {
      throw ApplicationFailure.create({
        type: 'WorkerShutdown',
        message: 'The worker shut down; the task continues on another worker.',
        nextRetryDelay: '1s',
        ...(error instanceof Error && { cause: error }),
      });
    }
    if (activity.cancellationSignal.aborted) {
      // Drivers throw their own errors on an abort; Temporal records a cancellation only for a CancelledFailure.
      throw error instanceof CancelledFailure ? error : await activity.cancelled;
    }
    if (error instanceof CallbackError) {
      const message = `${error.message}. The attempt was ended; the worker and its other tasks continue. The worker's log has the stack trace.`;
      throw platformFault('CallbackFailed', message, error.cause);
    }
    const known = error instanceof DriverMissing ? userFault('ProgramNotFound', error.message, error) : error;
    const failure = input.retryRules ? withRules(known, input.retryRules) : known;
    if (taskType.waits && failure instanceof ApplicationFailure && !failure.nonRetryable) {
      throw scheduleLastCheck(failure, info, performance.now() - startedAt);
    }
    throw failure;
  } finally {
    clearInterval(timer);
  }
}

/** Runs items one by one. A failed item fails the batch, and the retry repeats the whole batch: tasks are idempotent. */
async function runBatch(
  batch: NonNullable<TaskInput['batch']>,
  runOnce: (item: BatchItem, suffix: string) => Promise<Json>,
): Promise<Json> {
  const outputs: Json[] = [];
  for (const [index, item] of batch.entries()) outputs.push(await runOnce(item, `/${index}`));
  return outputs;
}

function holds(evaluator: Evaluator, condition: string, values: JsonObject): boolean {
  try {
    return evaluator.test(condition, values);
  } catch (error) {
    if (error instanceof ExpressionFailed) throw userFault('InvalidParameters', error.message);
    throw error;
  }
}

/** Applies the task's `retry_policy` to a failure. */
function withRules(error: unknown, rules: readonly RetryRule[]): unknown {
  if (!(error instanceof ApplicationFailure)) return error;
  const rule = rules.find(({ on }) => on === error.type);
  if (!rule) return error;
  return ApplicationFailure.create({
    ...(typeof error.type === 'string' && { type: error.type }),
    message: error.message,
    nonRetryable: rule.action === 'fail',
    ...(error.details && { details: error.details }),
    ...(rule.delayMs !== undefined && { nextRetryDelay: rule.delayMs }),
    ...(error.cause && { cause: error.cause }),
  });
}

/** Temporal keeps outputs in the history of the run, which cannot hold several megabytes. */
const MAX_OUTPUT_BYTES = 64 * 1024;
/** Temporal sees the outputs of a batch as one. */
const MAX_BATCH_BYTES = 1_000_000;

function mostBytes({ batch }: TaskInput): number {
  return batch ? Math.min(MAX_OUTPUT_BYTES, Math.floor(MAX_BATCH_BYTES / batch.length)) : MAX_OUTPUT_BYTES;
}

/** Returns an output, or a reference to S3 if it is too large for the history. */
async function keepable(
  { type }: TaskType,
  { identity, output, most }: { readonly identity: string; readonly output: Json; readonly most: number },
  outputs: OutputStore | undefined,
  signal: AbortSignal,
): Promise<Json> {
  const bytes = Buffer.byteLength(JSON.stringify(output));
  if (bytes <= most) return output;
  if (outputs) return { ...(await outputs.put(identity, exactJsonText(output), signal)) };
  throw userFault(
    'OutputTooLarge',
    `The output of ${type} has ${bytes} bytes; at most ${most} are kept in a run. Set SLUICE_OUTPUTS=s3://bucket/prefix on the workers, ` +
      'and larger ones go there; or write the data to S3 and return where it is.',
  );
}

function resolveConnections(taskType: TaskType, connections: Connections, params: JsonObject): Record<string, never> {
  const named = Object.entries(taskType.connections).flatMap(([name, need]) => {
    const chosen = params[need.key] ?? need.default;
    return typeof chosen === 'string' ? [[name, getConnection(connections, chosen, need.types)]] : [];
  });
  return Object.fromEntries(named) as Record<string, never>;
}

/** Returns a connection by name. @throws ApplicationFailure `ConnectionNotDefined` */
function getConnection<T extends ConnectionKind>(connections: Connections, name: string, types: readonly T[]): ConnectionOf<T> {
  return asTaskFailure(() => connections.get(name, types));
}

/** Turns a ConnectionError into a failure of the task. @throws ApplicationFailure `ConnectionNotDefined` */
export function asTaskFailure<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConnectionError) throw userFault('ConnectionNotDefined', error.message);
    throw error;
  }
}
