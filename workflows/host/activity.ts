import { activityType } from '../plan/tasks/activity-type.ts';
import { ActivityCancellationType, type ActivityOptions, scheduleActivity } from '@temporalio/workflow';
import type { RetryRule, TaskPlan } from '../plan/plan.ts';
import type { Json } from '../plan/values/json.ts';
import type { ActivityCall } from '../run/run-host.ts';
import type { HostField } from '../run/task-fields.ts';

/** Runs a task's activity, with the retries and time limits of its plan. */
export function runActivity({ id, task, summary, input }: ActivityCall): Promise<Json> {
  const options: ActivityOptions = {
    activityId: id,
    // The UI's timeline shows the type and the summary, not the id.
    summary,
    // A cancelled task cleans up after itself. Its state is known only after that.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  };
  for (const row of OPTION_ROWS) Object.assign(options, row(task));
  return scheduleActivity<Json>(activityType(task), [input], options);
}

const retryOptions = ({ retry, retryRules }: TaskPlan): ActivityOptions => ({
  retry: {
    ...(retry.maximumAttempts > 0 && { maximumAttempts: retry.maximumAttempts }),
    initialInterval: retry.initialDelayMs,
    backoffCoefficient: retry.backoff,
    maximumInterval: retry.maximumDelayMs,
    ...(retryRules && { nonRetryableErrorTypes: notRetried(retryRules) }),
  },
});

/** Maps each field of a task to an option of its activity. Fields that form one option together share a row. */
const ACTIVITY_OPTIONS = {
  executionTimeoutMs: ({ executionTimeoutMs }) => ({ startToCloseTimeout: executionTimeoutMs }),
  heartbeatTimeoutMs: ({ heartbeatTimeoutMs }) => ({ heartbeatTimeout: heartbeatTimeoutMs }),
  wait: ({ wait }) => wait && { scheduleToCloseTimeout: wait.timeoutMs },
  queueTimeoutMs: ({ queueTimeoutMs: ms }) => (ms === undefined ? undefined : { scheduleToStartTimeout: ms }),
  queue: ({ queue }) => (queue === undefined ? undefined : { taskQueue: queue }),
  priority: ({ priority }) => (priority === undefined ? undefined : { priority: { priorityKey: priority } }),
  retry: retryOptions,
  retryRules: retryOptions,
} as const satisfies Readonly<Record<HostField, (task: TaskPlan) => ActivityOptions | undefined>>;

const OPTION_ROWS = new Set<(task: TaskPlan) => ActivityOptions | undefined>(Object.values(ACTIVITY_OPTIONS));

/** Timeouts are reported by Temporal itself, under its own names. */
const TIMEOUTS: Readonly<Record<string, string>> = {
  execution_timeout: 'TemporalTimeout:StartToClose',
  heartbeat_timeout: 'TemporalTimeout:Heartbeat',
};

/** The failure types that Temporal must not retry, by the first rule for each type. Other rules are applied where the failure is raised. */
function notRetried(rules: readonly RetryRule[]): string[] {
  const first = new Map([...rules].reverse().map((rule) => [rule.on, rule]));
  return [...first.values()].filter(({ action }) => action === 'fail').map(({ on }) => TIMEOUTS[on] ?? on);
}
