import { createHash } from 'node:crypto';
import type { TaskType } from '../activities/define-task.ts';
import { parseDuration } from '../workflows/plan/duration.ts';
import type { Json, JsonObject } from '../workflows/plan/json.ts';
import { type Plan, PLAN_FORMAT, type RetryPlan, type TaskPlan } from '../workflows/plan/plan.ts';
import type { SchedulePlan } from '../workflows/plan/schedule.ts';
import type { TriggerRule } from '../workflows/plan/trigger-rule.ts';
import type { HandOver } from './resolve-data.ts';
import { tasksOf, type TaskGraph } from './resolve-graph.ts';
import { COMMON_TASK_KEYS } from './schema.ts';

/** Where neither the task nor `default_args` says anything. */
const DEFAULTS = { retries: 3, retry_delay: '10s', retry_exponential_backoff: 2, max_retry_delay: '1h' } as const;

/** The plan of a file without mistakes. Everything is explicit in it, and its hash covers all of it. */
export function emit(
  value: JsonObject,
  schedule: SchedulePlan | null,
  graph: TaskGraph,
  handOver: ReadonlyMap<string, HandOver>,
  types: ReadonlyMap<string, TaskType>,
): Plan {
  const defaults = (value.default_args ?? {}) as JsonObject;
  const byName = new Map(tasksOf(value).map((task) => [String(task.name), task]));
  const tasks = graph.order.flatMap((name) => {
    const task = byName.get(name);
    const type = types.get(String(task?.type));
    return task && type ? [emitTask({ ...defaults, ...task }, type, graph.upstream.get(name) ?? [], handOver.get(name) ?? {})] : [];
  });
  const runTimeoutMs = durationOf(value.dagrun_timeout);
  const plan: Omit<Plan, 'hash'> = {
    format: PLAN_FORMAT,
    dagId: String(value.dag_id),
    ...(typeof value.description === 'string' && { description: value.description }),
    ...(typeof value.owner === 'string' && { owner: value.owner }),
    tags: (value.tags ?? []) as readonly string[],
    ...(typeof value.doc_md === 'string' && { docMd: value.doc_md }),
    schedule,
    ...(runTimeoutMs !== undefined && { runTimeoutMs }),
    tasks,
  };
  return { ...plan, hash: createHash('sha256').update(canonical(plan)).digest('hex') };
}

function emitTask(task: JsonObject, type: TaskType, dependsOn: readonly string[], handOver: HandOver): TaskPlan {
  const params = Object.fromEntries(Object.entries(task).filter(([key]) => !COMMON_TASK_KEYS.has(key))) as Record<string, Json>;
  const queueTimeoutMs = durationOf(task.queue_timeout);
  return {
    name: String(task.name),
    type: type.type,
    summary: type.summary(params),
    dependsOn,
    triggerRule: (task.trigger_rule ?? 'all_success') as TriggerRule,
    params,
    ...handOver,
    retry: retryOf(task),
    executionTimeoutMs: durationOf(task.execution_timeout) ?? durationOf(type.defaults.execution_timeout) ?? 0,
    heartbeatTimeoutMs: durationOf(task.heartbeat_timeout) ?? durationOf(type.defaults.heartbeat_timeout) ?? 0,
    ...(queueTimeoutMs !== undefined && { queueTimeoutMs }),
    ...(typeof task.queue === 'string' && { queue: task.queue }),
    ...(typeof task.priority === 'number' && { priority: task.priority }),
    allowFailure: task.allow_failure === true,
  };
}

function retryOf(task: JsonObject): RetryPlan {
  const backoff = task.retry_exponential_backoff ?? DEFAULTS.retry_exponential_backoff;
  const initialDelayMs = durationOf(task.retry_delay ?? DEFAULTS.retry_delay) ?? 0;
  const maximumDelayMs = durationOf(task.max_retry_delay ?? DEFAULTS.max_retry_delay) ?? 0;
  return {
    maximumAttempts: Number(task.retries ?? DEFAULTS.retries) + 1,
    initialDelayMs,
    backoff: backoff === true ? 2 : backoff === false ? 1 : Number(backoff),
    // Temporal refuses a longest delay below the first.
    maximumDelayMs: Math.max(initialDelayMs, maximumDelayMs),
  };
}

function durationOf(text: Json | undefined): number | undefined {
  return typeof text === 'string' ? parseDuration(text) : undefined;
}

/** JSON with sorted keys: the same plan gives the same text whatever the order in the file. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
