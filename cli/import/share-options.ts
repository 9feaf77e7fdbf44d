import { CATALOG } from '../../activities/catalog.ts';
import { kindOf, UNUSED_KEYS } from '../../compiler/resolve/task-kinds.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { WrittenTask } from './convert-task.ts';

/** Keys that `default_args` can set for all tasks, in the order in which they are written. */
const SHARED = [
  'owner',
  'retries',
  'retry_delay',
  'retry_exponential_backoff',
  'max_retry_delay',
  'execution_timeout',
  'queue',
  'pool',
  'pool_slots',
  'depends_on_past',
] as const;

/** Airflow's defaults that differ from Sluice's. */
const AIRFLOWS: JsonObject = { retries: 0, retry_delay: '5m', retry_exponential_backoff: false };

/** `default_args` and its tasks. */
export interface SharedOptions {
  readonly defaults: JsonObject;
  readonly tasks: readonly WrittenTask[];
  /** Keys of `defaults` that Airflow does not write. */
  readonly added: readonly string[];
}

/**
 * Moves options that all tasks share to `default_args`: Airflow's exports repeat them. Airflow's defaults (no retries, five minutes between
 * retries) are written out where Sluice's differ.
 * @param own the `default_args` of the DAG
 */
export function shareOptions(own: JsonObject, tasks: readonly WrittenTask[]): SharedOptions {
  const shared = SHARED.map((key): [string, Json | undefined] => [key, mostCommon(tasks, key)]);
  const said: JsonObject = { ...Object.fromEntries(shared.filter(([, value]) => value !== undefined)), ...own };
  const works = tasks.some(({ keys }) => keys.type !== 'empty' && keys.type !== 'unfinished');
  const retried = [said, ...tasks.map(({ keys }) => keys)].some(({ retries }) => Number(retries ?? 0) > 0);
  const needed = Object.keys(AIRFLOWS).filter((key) => works && (key === 'retries' || retried));
  const delays = ['retry_delay', 'retry_exponential_backoff', 'max_retry_delay'];
  const useless = retried ? [] : works ? delays : ['retries', ...delays];
  const added = needed.filter((key) => said[key] === undefined);
  const all = { ...pick(AIRFLOWS, added), ...said };
  return {
    defaults: Object.fromEntries(
      SHARED.flatMap((key): [string, Json][] => (all[key] === undefined || useless.includes(key) ? [] : [[key, all[key]]])),
    ),
    tasks: tasks.map(({ keys, comments }) => {
      const again = SHARED.filter((key) => keys[key] === said[key]);
      return { keys: inOrder(omit(keys, [...again, ...useless, ...unusedBy(keys)])), comments };
    }),
    added,
  };
}

/** Options that every Airflow operator accepts, but that have no effect for this task type. */
function unusedBy(keys: JsonObject): readonly string[] {
  const type = CATALOG.find((each) => each.type === keys.type);
  return type ? Object.keys(UNUSED_KEYS[kindOf(type, keys)]) : [];
}

/** The most common value among the tasks, if all have one. */
function mostCommon(tasks: readonly WrittenTask[], key: string): Json | undefined {
  const counts = new Map<Json, number>();
  for (const { keys } of tasks.length > 1 ? tasks : []) {
    const value = keys[key];
    if (value === undefined) return undefined;
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

function pick(keys: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, keys[name]]));
}

function omit(keys: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(keys).filter(([key]) => !names.includes(key)));
}

/** Orders keys: what a task does first, then how it runs. */
function inOrder(keys: JsonObject): JsonObject {
  const names = SHARED.filter((key) => keys[key] !== undefined);
  return { ...omit(keys, names), ...pick(keys, names) };
}
