import { createHash } from 'node:crypto';
import type { TaskType } from '../../activities/define-task.ts';
import type { TemplatePlace } from '../../workflows/plan/expressions/template-place.ts';
import type { CatchupPlan } from '../../workflows/plan/timetable/intervals.ts';
import { canonicalJson, isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import {
  type ConcurrencyPlan,
  type ExpandPlan,
  type Plan,
  PLAN_FORMAT,
  type RetryPlan,
  type RetryRule,
  type SwitchPlan,
  type TaskPlan,
  type WaitPlan,
} from '../../workflows/plan/plan.ts';
import type { CommonTaskKey } from '../../workflows/plan/tasks/common-task-keys.ts';
import type { TriggerRule } from '../../workflows/plan/tasks/trigger-rule.ts';
import { COMMON_TASK_KEYS } from '../schema/task-keys.ts';
import { fullName, type TaskNode, withDefaults } from './task-node.ts';
import { durationOf, textOf } from '../read/values.ts';

/** Defaults of keys that neither the task nor `default_args` sets. */
const DEFAULTS = { retries: 3, retry_delay: '10s', retry_exponential_backoff: 2, max_retry_delay: '1h' } as const;

/** The results of the resolvers for one task. */
export interface ResolvedTask {
  readonly node: TaskNode & { readonly name: string };
  readonly type: TaskType;
  readonly dependsOn: readonly string[];
  readonly inputFrom?: string;
  readonly outputBase?: string;
  /** The task whose effect it reverts. */
  readonly undoes?: string;
  readonly templates?: readonly TemplatePlace[];
  /** The tasks whose outputs form the lists that it expands over. */
  readonly lists?: readonly string[];
  /** Whether a task has this full name. */
  isTask(name: string): boolean;
}

/** Creates a plan: copies keys of the file, and adds the resolved parts. */
export function emitPlan(
  value: JsonObject,
  resolved: Omit<
    Plan,
    | 'hash'
    | 'format'
    | 'dagId'
    | 'tags'
    | 'description'
    | 'owner'
    | 'docMd'
    | 'runTimeoutMs'
    | 'maxActiveRuns'
    | 'concurrency'
    | 'catchup'
    | 'inlets'
    | 'outlets'
    | 'critical'
  >,
): Plan {
  const runTimeoutMs = durationOf(value.dagrun_timeout);
  return withHash({
    format: PLAN_FORMAT,
    dagId: String(value.dag_id),
    ...(typeof value.description === 'string' && { description: value.description }),
    ...(typeof value.owner === 'string' && { owner: value.owner }),
    tags: (value.tags ?? []) as readonly string[],
    ...(typeof value.doc_md === 'string' && { docMd: value.doc_md }),
    ...(runTimeoutMs !== undefined && { runTimeoutMs }),
    ...(typeof value.max_active_runs === 'number' && { maxActiveRuns: value.max_active_runs }),
    ...(Array.isArray(value.inlets) && { inlets: value.inlets as readonly string[] }),
    ...(Array.isArray(value.outlets) && { outlets: value.outlets as readonly string[] }),
    ...(value.critical === true && { critical: true }),
    ...catchupOf(value.catchup),
    ...(isMap(value.concurrency) && { concurrency: concurrencyOf(value.concurrency) }),
    ...resolved,
  });
}

function catchupOf(catchup: Json | undefined): Pick<Plan, 'catchup'> {
  if (catchup === true) return { catchup: { mode: 'all' } };
  if (!isMap(catchup) || catchup.mode === 'none') return {};
  const windowMs = durationOf(catchup.window);
  return {
    catchup: {
      mode: catchup.mode as CatchupPlan['mode'],
      ...(windowMs !== undefined && { windowMs }),
      ...(typeof catchup.max_runs === 'number' && { maxRuns: catchup.max_runs }),
    },
  };
}

function concurrencyOf({ limit, key, on_overlap = 'queue' }: JsonObject): ConcurrencyPlan {
  return { limit: Number(limit), ...(typeof key === 'string' && { key }), onOverlap: on_overlap as ConcurrencyPlan['onOverlap'] };
}

/** Adds a hash over all fields of a plan. */
export function withHash(plan: Omit<Plan, 'hash'>): Plan {
  // Undefined fields are omitted, so an existing hash is not hashed.
  const text = canonicalJson({ ...plan, hash: undefined });
  return { ...plan, hash: createHash('sha256').update(text).digest('hex') };
}

/** Creates the plan of a task, with everything explicit. */
export function emitTask(resolved: ResolvedTask): TaskPlan {
  const { node, type } = resolved;
  const params = Object.fromEntries(Object.entries(node.keys).filter(([key]) => !COMMON_TASK_KEYS.has(key))) as Emission['params'];
  const followsRun = type.type === 'run_pipeline' && params.wait !== false;
  return emitAll<typeof TASK_KEYS, TaskPlan>(TASK_KEYS, { ...resolved, keys: withDefaults(node), params, followsRun });
}

/** The input of the rows of `TASK_KEYS`. */
interface Emission extends ResolvedTask {
  /** The keys of the task, including inherited keys. */
  readonly keys: JsonObject;
  /** The keys that its type declares, as written. */
  readonly params: Readonly<Record<string, Json>>;
  /** It ends like the run that it starts. */
  readonly followsRun: boolean;
}

/** The retries of a task. */
const retries = ({ type, keys, followsRun }: Emission) => ({
  // Tasks of the child run have their own retries, so the whole run is repeated only if the file sets `retries`.
  retry: type.waits ? pokesOf(keys) : retryOf(followsRun ? { retries: 0, ...keys } : keys),
});

const slots = ({ keys: { pool, pool_slots: count = 1 } }: Emission) => ({
  pool: typeof pool === 'string' ? { name: pool, slots: Number(count) } : undefined,
});

/**
 * Maps each key of a task to fields of its plan. A key without a row, or a plan field that no row makes, does not compile. Keys that form
 * one field together share a row.
 */
const TASK_KEYS = {
  name: ({ node }) => ({ name: node.name }),
  type: ({ type, params, templates, keys, followsRun }) => ({
    type: type.type,
    typeVersion: type.version === 1 ? undefined : type.version,
    typeOrigin: type.origin,
    summary: type.summary(params),
    params: { ...defaultsOf(type), ...params },
    templates,
    lineage: type.lineage,
    ownsEffects: type.runtime === 'activity' && (type.data.reads || type.data.writes || type.ownsEffects) ? true : undefined,
    followsRun: followsRun ? true : undefined,
    wait: type.waits ? waitOf(keys) : undefined,
    outputExpires: type.outputExpires,
  }),
  // SLAs of the pipeline and of its tasks are checked together: resolve-slas.ts.
  sla: () => ({}),
  depends_on: ({ dependsOn }) => ({ dependsOn }),
  trigger_rule: ({ keys }) => ({ triggerRule: (keys.trigger_rule ?? 'all_success') as TriggerRule }),
  group: ({ node }) => ({ group: node.group }),
  owner: ({ keys }) => ({ owner: textOf(keys.owner) }),
  when: ({ keys }) => ({ when: textOf(keys.when) }),
  switch: ({ keys, node, isTask }) => ({ switch: isMap(keys.switch) ? switchOf(keys.switch, node, isTask) : undefined }),
  expand: ({ keys, lists = [] }) => ({ expand: isMap(keys.expand) ? expandOf(keys.expand, lists) : undefined }),
  inputs: ({ inputFrom }) => ({ inputFrom }),
  outputs: ({ outputBase }) => ({ outputBase }),
  retries,
  retry_delay: retries,
  retry_exponential_backoff: retries,
  max_retry_delay: retries,
  retry_policy: ({ keys: { retry_policy: rules } }) => ({
    retryRules: Array.isArray(rules) ? rules.map((rule: Json) => retryRuleOf(rule as JsonObject)) : undefined,
  }),
  hold_on_failure: ({ type, keys, params }) => ({ holdOnFailureMs: durationOf(keys.hold_on_failure ?? type.heldFor?.(params)) }),
  execution_timeout: ({ type, keys, followsRun }) => ({
    executionTimeoutMs: durationOf(keys.execution_timeout ?? (followsRun ? undefined : type.defaults.execution_timeout)) ?? 0,
  }),
  heartbeat_timeout: ({ type, keys }) => ({
    heartbeatTimeoutMs: durationOf(keys.heartbeat_timeout ?? type.defaults.heartbeat_timeout) ?? 0,
  }),
  queue_timeout: ({ keys }) => ({ queueTimeoutMs: durationOf(keys.queue_timeout) }),
  queue: ({ keys }) => ({ queue: textOf(keys.queue) }),
  pool: slots,
  pool_slots: slots,
  priority: ({ keys }) => ({ priority: typeof keys.priority === 'number' ? keys.priority : undefined }),
  allow_failure: ({ keys }) => ({ allowFailure: keys.allow_failure === true }),
  latest_only: ({ keys }) => ({ latestOnly: keys.latest_only === true ? true : undefined }),
  depends_on_past: ({ keys, node }) => ({ dependsOnPast: keys.depends_on_past === true && node.list === 'tasks' ? true : undefined }),
  undoes: ({ undoes }) => ({ undoes }),
} as const satisfies Readonly<Record<CommonTaskKey, (task: Emission) => Partial<Emitted<TaskPlan>>>>;

/** The fields of a plan, before undefined ones are removed. */
type Emitted<T> = { readonly [Field in keyof T]-?: T[Field] | undefined };

/** The fields that all rows of a table make together. */
type MadeBy<Rows> = {
  [Key in keyof Rows]: Rows[Key] extends (task: Emission) => infer Made ? (made: Made) => void : never;
}[keyof Rows] extends (made: infer All) => void
  ? All
  : never;

/** Builds a plan from all rows. A row shared by several keys runs once. Undefined fields are omitted. */
function emitAll<Rows extends Readonly<Record<string, (task: Emission) => object>>, T extends object>(
  rows: MadeBy<Rows> extends Emitted<T> ? Rows : never,
  task: Emission,
): T {
  const made: Record<string, unknown> = {};
  for (const row of new Set(Object.values(rows as Rows)))
    for (const [field, value] of Object.entries(row(task))) if (value !== undefined) made[field] = value;
  return made as T;
}

/** The default parameters of a task type. They are stored in the plan, so that a later release does not change active runs. */
function defaultsOf({ params }: TaskType): JsonObject {
  const fields = Object.entries(params.properties as Readonly<Record<string, { readonly default?: Json }>>);
  return Object.fromEntries(fields.flatMap(([key, field]) => (field.default === undefined ? [] : [[key, field.default]])));
}

function switchOf(keys: JsonObject, { group }: TaskNode, isTask: ResolvedTask['isTask']): SwitchPlan {
  const full = (names: Json | undefined): string[] =>
    ((names ?? []) as readonly string[]).map((name) => fullName(name, group, isTask) ?? name);
  return {
    on: String(keys.on),
    cases: Object.fromEntries(Object.entries(keys.cases as JsonObject).map(([value, names]) => [value, full(names)])),
    default: full(keys.default),
  };
}

function expandOf(keys: JsonObject, reads: readonly string[]): ExpandPlan {
  const { over, as: name = 'item', max_parallel = 16, batch_size = 1, on_item_failure = 'fail', expand } = keys;
  return {
    over: over as ExpandPlan['over'],
    as: String(name),
    maxParallel: Number(max_parallel),
    batchSize: Number(batch_size),
    onItemFailure: on_item_failure as ExpandPlan['onItemFailure'],
    reads,
    ...(isMap(expand) && { expand: { over: expand.over as ExpandPlan['over'], as: String(expand.as ?? 'item') } }),
  };
}

function retryRuleOf(rule: JsonObject): RetryRule {
  const delayMs = durationOf(rule.delay);
  return { on: String(rule.on), action: rule.action as RetryRule['action'], ...(delayMs !== undefined && { delayMs }) };
}

function retryOf(task: JsonObject): RetryPlan {
  const backoff = task.retry_exponential_backoff ?? DEFAULTS.retry_exponential_backoff;
  const initialDelayMs = durationOf(task.retry_delay ?? DEFAULTS.retry_delay) ?? 0;
  const maximumDelayMs = durationOf(task.max_retry_delay ?? DEFAULTS.max_retry_delay) ?? 0;
  return {
    maximumAttempts: Number(task.retries ?? DEFAULTS.retries) + 1,
    initialDelayMs,
    backoff: backoff === true ? 2 : backoff === false ? 1 : Number(backoff),
    // Temporal requires the maximum delay to be at least the initial delay.
    maximumDelayMs: Math.max(initialDelayMs, maximumDelayMs),
  };
}

/** Defaults of polling tasks. */
const WAITS = { poke_interval: '1m', timeout: '24h' } as const;

/** Polls again after a check that finds nothing or fails, until the timeout. */
function pokesOf({ poke_interval: interval }: JsonObject): RetryPlan {
  const delayMs = durationOf(interval ?? WAITS.poke_interval) ?? 0;
  return { maximumAttempts: 0, initialDelayMs: delayMs, backoff: 1, maximumDelayMs: delayMs };
}

function waitOf({ timeout, soft_fail: softFail }: JsonObject): WaitPlan {
  return { timeoutMs: durationOf(timeout ?? WAITS.timeout) ?? 0, softFail: softFail === true };
}
