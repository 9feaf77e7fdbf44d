import { formatDuration } from '../plan/values/duration.ts';
import type { Json } from '../plan/values/json.ts';
import { type PipelineCall, type RunHost, type RunScope, TaskCanceled, TaskFailed } from './run-host.ts';

/** The name of a timeout in `retry_policy`. */
const TIMEOUT = 'execution_timeout';

/** Thrown when a person cancelled the child run. It is not retried, because that would override their decision. */
class ChildCanceled extends TaskFailed {}

/**
 * Runs another pipeline for a task, with the task's `retries`. Each attempt is a separate run, limited by `execution_timeout`.
 * @throws TaskFailed when the last run failed, timed out or was cancelled on its own; TaskCanceled when `scope` was cancelled
 */
export async function runChild(host: RunHost, call: Omit<PipelineCall, 'attempt'>, scope: RunScope): Promise<Json> {
  const { task } = call;
  // Plans of earlier releases do not have `followsRun`: their tasks try once.
  if (!task.followsRun) return host.runPipeline({ ...call, attempt: 1 }, scope);
  const { retry, retryRules } = task;
  for (let attempt = 1; ; attempt++) {
    const end = await attemptOf(host, { ...call, attempt }, scope);
    if ('output' in end) return end.output;
    const rule = end.isTimeout ? retryRules?.find(({ on }) => on === TIMEOUT) : undefined;
    const isLast = retry.maximumAttempts > 0 && attempt >= retry.maximumAttempts;
    if (isLast || rule?.action === 'fail' || end.failure instanceof ChildCanceled) throw end.failure;
    const delayMs = rule?.delayMs ?? Math.min(retry.initialDelayMs * retry.backoff ** (attempt - 1), retry.maximumDelayMs);
    await host.until(() => false, { timeoutMs: delayMs, summary: `${call.taskId}: attempt ${attempt + 1} follows` }, scope);
  }
}

type AttemptEnd = { readonly output: Json } | { readonly failure: TaskFailed; readonly isTimeout: boolean };

async function attemptOf(host: RunHost, call: PipelineCall, scope: RunScope): Promise<AttemptEnd> {
  const { executionTimeoutMs } = call.task;
  const limit = executionTimeoutMs > 0 ? { timeoutMs: executionTimeoutMs } : {};
  return host.within({ ...limit, inside: scope }, async (own): Promise<AttemptEnd> => {
    try {
      const output = await host.runPipeline(call, own);
      return stateOf(output) === 'canceled'
        ? failed(`The run of '${call.plan.dagId}' did not start: it exceeded the limit of active runs.`)
        : { output };
    } catch (error) {
      if (error instanceof TaskFailed) return { failure: error, isTimeout: false };
      if (!(error instanceof TaskCanceled) || scope.canceled) throw error;
      const isTimeout = own.canceled;
      if (isTimeout)
        return { ...failed(`The run took longer than its execution_timeout of ${formatDuration(executionTimeoutMs)}.`), isTimeout };
      return { failure: new ChildCanceled(`The run of '${call.plan.dagId}' was cancelled.`), isTimeout };
    }
  });
}

function failed(message: string): { readonly failure: TaskFailed; readonly isTimeout: false } {
  return { failure: new TaskFailed(message), isTimeout: false };
}

function stateOf(output: Json): Json | undefined {
  return (output as { readonly state?: Json }).state;
}
