import { CATALOG } from '../../activities/catalog.ts';
import { kindOf, UNUSED_KEYS } from '../../compiler/resolve/task-kinds.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { WrittenTask } from './convert-task.ts';

/** Keys that `default_args` can say for all tasks, in the order in which they are written. */
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

/** What Airflow does where nobody says anything, and Sluice does otherwise. */
const AIRFLOWS: JsonObject = { retries: 0, retry_delay: '5m', retry_exponential_backoff: false };

/** `default_args` and the tasks that go with it. */
export interface SharedOptions {
  readonly defaults: JsonObject;
  readonly tasks: readonly WrittenTask[];
  /** Keys of `defaults` that Airflow leaves unsaid. */
  readonly added: readonly string[];
}

/**
 * Says once what all tasks say: an export of Airflow repeats it for each. Airflow does not retry unless it is told, and then waits five
 * minutes each time; where Sluice would do otherwise that is written out.
 * @param own what `default_args` of the DAG says
 */
export function shareOptions(own: JsonObject, tasks: readonly WrittenTask[]): SharedOptions {
  const shared = SHARED.map((key): [string, Json | undefined] => [key, mostCommon(tasks, key)]);
  const said: JsonObject = { ...Object.fromEntries(shared.filter(([, value]) => value !== undefined)), ...own };
  const works = tasks.some(({ keys }) => keys.type !== 'empty' && keys.type !== 'unfinished');
  const retried = [said, ...tasks.map(({ keys }) => keys)].some(({ retries }) => Number(retries ?? 0) > 0);
  const wanted = Object.keys(AIRFLOWS).filter((key) => works && (key === 'retries' || retried));
  const delays = ['retry_delay', 'retry_exponential_backoff', 'max_retry_delay'];
  const useless = retried ? [] : works ? delays : ['retries', ...delays];
  const added = wanted.filter((key) => said[key] === undefined);
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

/** Options that Airflow has for every operator, and that do nothing for tasks of such a type here. */
function unusedBy(keys: JsonObject): readonly string[] {
  const type = CATALOG.find((each) => each.type === keys.type);
  return type ? Object.keys(UNUSED_KEYS[kindOf(type, keys)]) : [];
}

/** The value that most of the tasks have, where all have one. */
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

/** What a task does first, then how it is run. */
function inOrder(keys: JsonObject): JsonObject {
  const names = SHARED.filter((key) => keys[key] !== undefined);
  return { ...omit(keys, names), ...pick(keys, names) };
}
