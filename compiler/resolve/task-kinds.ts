import type { TaskType } from '../../activities/define-task.ts';
import type { CommonTaskKey } from '../../workflows/plan/tasks/common-task-keys.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';

/** Kinds of tasks that differ in which common keys apply. */
export const TASK_KINDS = ['activity', 'wait', 'approval', 'empty', 'run_pipeline', 'start'] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

/** The kind of a task. `start` is a `run_pipeline` with `wait: false`. */
export function kindOf({ type, waits }: Pick<TaskType, 'type' | 'waits'>, keys: JsonObject): TaskKind {
  if (type === 'run_pipeline') return keys.wait === false ? 'start' : 'run_pipeline';
  if (type === 'approval' || type === 'empty') return type;
  return waits === true ? 'wait' : 'activity';
}

/** Keys without an effect on tasks of a kind, each with the reason and an alternative. A task with one of them is refused. */
type Unused = Partial<Record<CommonTaskKey, { readonly why: string; readonly instead: string }>>;

const RETRY_KEYS = ['retries', 'retry_delay', 'retry_exponential_backoff', 'max_retry_delay'] as const;
const WORKER_KEYS = ['heartbeat_timeout', 'queue_timeout', 'queue'] as const;

function all<K extends CommonTaskKey>(keys: readonly K[], why: string, instead = 'remove it'): Unused {
  return Object.fromEntries(keys.map((key) => [key, { why, instead }]));
}

const NO_WORKER = 'no worker runs it';
const NOTHING_TO_DO = 'an empty task cannot fail, takes no time and needs no slots';
const STARTED = 'with `wait: false` the task ends as soon as the run has started';

/** By kind, the keys that it refuses. All other keys work, on Temporal and in `sluice test`: a test has a row for each. */
export const UNUSED_KEYS: Readonly<Record<TaskKind, Unused>> = {
  activity: {},
  wait: all(RETRY_KEYS, 'it checks repeatedly until its `timeout`', 'set `poke_interval` and `timeout`'),
  approval: {
    ...all([...RETRY_KEYS, 'retry_policy'], 'an approval is requested once'),
    execution_timeout: { why: 'it waits for a decision', instead: 'set `timeout`' },
    ...all([...WORKER_KEYS, 'priority', 'pool', 'pool_slots'], NO_WORKER),
    expand: { why: 'one approval is requested', instead: 'write one task per approval' },
  },
  empty: {
    ...all(
      [...RETRY_KEYS, 'retry_policy', 'execution_timeout', ...WORKER_KEYS, 'priority', 'pool', 'pool_slots', 'hold_on_failure'],
      NOTHING_TO_DO,
    ),
    expand: { why: 'an empty task does not use its item', instead: 'move it to the task that works with the items' },
  },
  run_pipeline: all(WORKER_KEYS, 'it starts a run of another pipeline, whose tasks have their own setting'),
  start: {
    ...all(WORKER_KEYS, 'it starts a run of another pipeline, whose tasks have their own setting'),
    ...all([...RETRY_KEYS, 'retry_policy', 'execution_timeout'], STARTED, 'remove it, or wait for the run'),
  },
};
