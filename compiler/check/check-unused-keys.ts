import type { TaskType } from '../../activities/define-task.ts';
import { isMap, type JsonObject } from '../../workflows/plan/values/json.ts';
import type { Source } from '../read/source.ts';
import { kindOf, UNUSED_KEYS } from '../resolve/task-kinds.ts';
import type { TaskNode } from '../resolve/task-node.ts';

/**
 * Refuses keys that have no effect on tasks of this kind. They are allowed in `default_args`, which also apply to other tasks.
 * @param types by name
 */
export function checkUnusedKeys(source: Source, value: JsonObject, nodes: readonly TaskNode[], types: ReadonlyMap<string, TaskType>): void {
  checkTimetable(source, value, nodes);
  for (const { type = '', keys, path } of nodes) {
    const taskType = types.get(type);
    if (!taskType) continue;
    const kind = kindOf(taskType, keys);
    for (const [key, { why, instead }] of Object.entries(UNUSED_KEYS[kind])) {
      if (keys[key] === undefined || source.isReported([...path, key])) continue;
      const what = kind === 'start' ? 'a `run_pipeline` task that does not wait' : `a task of type ${type}`;
      source.reportKey('SL211', [...path, key], `'${key}' has no effect on ${what}: ${why}.`, instead);
    }
    if (keys.outputs !== undefined && !taskType.data.writes && !source.isReported([...path, 'outputs']))
      source.reportKey(
        'SL211',
        [...path, 'outputs'],
        `'outputs' has no effect on a task of type ${type}: it writes no dataset.`,
        'remove it',
      );
    if (taskType.type === 'run_pipeline' && isMap(keys.expand) && Number(keys.expand.batch_size ?? 1) > 1) {
      const at = [...path, 'expand', 'batch_size'];
      source.reportKey(
        'SL211',
        at,
        "'batch_size' has no effect on a task of type run_pipeline: each run is started separately.",
        'remove it',
      );
    }
  }
}

/** Refuses keys about intervals in a pipeline without a schedule. */
function checkTimetable(source: Source, value: JsonObject, nodes: readonly TaskNode[]): void {
  const isByHand = (value.schedule_interval ?? value.schedule ?? null) === null;
  const defaults = isMap(value.default_args) ? value.default_args : {};
  const places = [{ keys: defaults, path: ['default_args'], list: 'tasks' }, ...nodes];
  for (const { keys, path, list } of places) {
    for (const key of ['depends_on_past', 'latest_only'] as const) {
      if (keys[key] !== true) continue;
      const at = [...path, key];
      if (isByHand) {
        const message = `'${key}' has no effect in a pipeline without a schedule: it has no interval that is ${key === 'latest_only' ? 'the newest' : 'before another one'}.`;
        source.reportKey('SL211', at, message, 'set `schedule_interval`, or remove it');
      } else if (key === 'depends_on_past' && list !== 'tasks') {
        source.reportKey('SL211', at, `'${key}' has no effect in ${list}: those tasks depend on how the run ended.`, 'remove it');
      }
    }
  }
}
