import { ApplicationFailure, Context } from '@temporalio/activity';
import type { SimulatedAttempt } from '../../cli/test/simulated-host.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { TaskInput } from '../../workflows/plan/tasks/task-input.ts';
import { toyAttempt } from './toy-language.ts';

/** How often a toy that waits asks whether it was cancelled, in milliseconds. */
const HEARTBEAT = 50;

/**
 * The time of toys that run on Temporal. A toy that takes an hour ends when a test lets the hour pass, so that a table of cases with times is
 * the same on both hosts.
 */
export class ToyClock {
  /** Milliseconds since the clock was made. */
  now = 0;
  /** When each toy that waits has done its work, by workflow id and activity id. */
  private readonly due = new Map<string, number>();

  /** @param secondRound how a task ends that is tried again by hand; absent: as at first */
  constructor(private readonly secondRound?: SimulatedAttempt) {}

  isWaiting(workflowId: string, activityId: string): boolean {
    return this.due.has(keyOf(workflowId, activityId));
  }

  /** When the next toy of these workflows has done its work, or undefined. */
  next(workflowIds: ReadonlySet<string>): number | undefined {
    const times = [...this.due].filter(([key]) => workflowIds.has(key.split('\n')[0] ?? '')).map(([, at]) => at);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Does a toy's work: waits for its time, and ends as `attemptOf` says. */
  readonly work = async (input: TaskInput): Promise<Json> => {
    const { activityType, activityId, attempt, workflowExecution } = Context.current().info;
    const again = activityId.includes('#') ? this.secondRound : undefined;
    const { takesMs, output = null, failure } = again ?? toyAttempt(activityType, input, attempt);
    const key = keyOf(workflowExecution?.workflowId ?? '', activityId);
    const at = this.now + takesMs;
    this.due.set(key, at);
    try {
      while (this.now < at) {
        // Cancellation reaches an activity as the answer to a heartbeat.
        Context.current().heartbeat();
        await Context.current().sleep(HEARTBEAT);
      }
    } finally {
      this.due.delete(key);
    }
    if (!failure) return output;
    throw ApplicationFailure.create({ type: failure.type, message: failure.message, nonRetryable: !failure.retryable });
  };

  /** Runs until it is cancelled, whatever the clock says. */
  private readonly hang = async (): Promise<Json> => {
    for (;;) {
      Context.current().heartbeat();
      await Context.current().sleep(HEARTBEAT);
    }
  };

  readonly activities = { ok: this.work, fail: this.work, flaky: this.work, slow: this.work, hang: this.hang };
}

/** A task that an operator has tried again succeeds. */
export const SECOND_ROUND: SimulatedAttempt = { takesMs: 1000, output: 'second' };

function keyOf(workflowId: string, activityId: string): string {
  return `${workflowId}\n${activityId}`;
}
