import { ApplicationFailure, Context } from '@temporalio/activity';
import type { SimulatedAttempt } from '../../cli/test/simulated-host.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { TaskInput } from '../../workflows/plan/tasks/task-input.ts';
import { toyAttempt } from './toy-language.ts';

/** Interval at which a waiting toy checks for cancellation, in milliseconds. */
const HEARTBEAT = 50;

/**
 * The simulated clock of toys on Temporal. A toy that takes an hour ends when a test advances the clock, so that the same table of timed
 * cases works on both hosts.
 */
export class ToyClock {
  /** Milliseconds since the clock was created. */
  now = 0;
  /** When each waiting toy is done, by workflow id and activity id. */
  private readonly due = new Map<string, number>();

  /** @param secondRound how a task ends when an operator retries it; absent: as in the first round */
  constructor(private readonly secondRound?: SimulatedAttempt) {}

  isWaiting(workflowId: string, activityId: string): boolean {
    return this.due.has(keyOf(workflowId, activityId));
  }

  /** When the next toy of these workflows is done, or undefined. */
  next(workflowIds: ReadonlySet<string>): number | undefined {
    const times = [...this.due].filter(([key]) => workflowIds.has(key.split('\n')[0] ?? '')).map(([, at]) => at);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Runs a toy: waits for its time, and ends as `attemptOf` says. */
  readonly work = async (input: TaskInput): Promise<Json> => {
    const { activityType, activityId, attempt, workflowExecution } = Context.current().info;
    const again = activityId.includes('#') ? this.secondRound : undefined;
    const { takesMs, output = null, failure } = again ?? toyAttempt(activityType, input, attempt);
    const key = keyOf(workflowExecution?.workflowId ?? '', activityId);
    const at = this.now + takesMs;
    this.due.set(key, at);
    try {
      while (this.now < at) {
        // A cancellation reaches an activity with the response to its heartbeat.
        Context.current().heartbeat();
        await Context.current().sleep(HEARTBEAT);
      }
    } finally {
      this.due.delete(key);
    }
    if (!failure) return output;
    throw ApplicationFailure.create({ type: failure.type, message: failure.message, nonRetryable: !failure.retryable });
  };

  /** Runs until it is cancelled, independent of the clock. */
  private readonly hang = async (): Promise<Json> => {
    for (;;) {
      Context.current().heartbeat();
      await Context.current().sleep(HEARTBEAT);
    }
  };

  readonly activities = { ok: this.work, fail: this.work, flaky: this.work, slow: this.work, hang: this.hang };
}

/** A task that an operator retries succeeds. */
export const SECOND_ROUND: SimulatedAttempt = { takesMs: 1000, output: 'second' };

function keyOf(workflowId: string, activityId: string): string {
  return `${workflowId}\n${activityId}`;
}
