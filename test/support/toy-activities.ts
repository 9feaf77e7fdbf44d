import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { TaskInput } from '../../workflows/plan/tasks/task-input.ts';
import { heartbeatUntil } from './heartbeat-until.ts';
import { toyAttempt } from './toy-language.ts';

/** The names of the tasks that `succeed` has run. */
export const startedTasks: string[] = [];

const toy = async (input: TaskInput): Promise<Json> => {
  const { activityType, attempt } = Context.current().info;
  const { output = null, failure } = toyAttempt(activityType, input, attempt);
  if (!failure) return output;
  throw ApplicationFailure.create({ type: failure.type, message: failure.message, nonRetryable: !failure.retryable });
};

/** Task types that end as their names say. */
export const toyActivities = {
  succeed: async (): Promise<Json> => {
    startedTasks.push(Context.current().info.activityId);
    return null;
  },
  ok: toy,
  flaky: toy,
  fail: async (): Promise<Json> => {
    throw ApplicationFailure.nonRetryable('the reason', 'TestFailure');
  },
  fail_in_lines: async (): Promise<Json> => {
    throw ApplicationFailure.nonRetryable('relation "sales" does not exist\nLINE 1: SELECT * FROM "sales"', 'TestFailure');
  },
  fail_twice: async (): Promise<Json> => {
    const { attempt } = Context.current().info;
    if (attempt < 3) throw ApplicationFailure.retryable(`attempt ${attempt}`, 'TestFailure');
    return attempt;
  },
  make_data: async ({ output }: TaskInput): Promise<Json> => ({ uri: output ?? null, rows: 3, bytes: 12 }),
  tell_input: async ({ input, interval }: TaskInput): Promise<Json> => ({ input: (input as unknown as Json) ?? null, interval }),
  hang: () => heartbeatUntil(),
};
