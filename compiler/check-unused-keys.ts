import type { TaskType } from '../activities/define-task.ts';
import { isMap } from '../workflows/plan/json.ts';
import type { Source } from './source.ts';
import { kindOf, UNUSED_KEYS } from './task-kinds.ts';
import type { TaskNode } from './task-node.ts';

/**
 * Refuses keys that do nothing for tasks of their kind. `default_args` may have them: they are for the other tasks.
 * @param types by name
 */
export function checkUnusedKeys(source: Source, nodes: readonly TaskNode[], types: ReadonlyMap<string, TaskType>): void {
  for (const { type = '', keys, path } of nodes) {
    const taskType = types.get(type);
    if (!taskType) continue;
    const kind = kindOf(taskType, keys);
    for (const [key, { why, instead }] of Object.entries(UNUSED_KEYS[kind])) {
      if (keys[key] === undefined || source.isReported([...path, key])) continue;
      const what = kind === 'start' ? 'a `run_pipeline` task that does not wait' : `a task of type ${type}`;
      source.reportKey('SL211', [...path, key], `'${key}' does nothing for ${what}: ${why}.`, instead);
    }
    if (keys.outputs !== undefined && !taskType.data.writes && !source.isReported([...path, 'outputs']))
      source.reportKey(
        'SL211',
        [...path, 'outputs'],
        `'outputs' does nothing for a task of type ${type}: it makes no data set.`,
        'remove it',
      );
    if (taskType.type === 'run_pipeline' && isMap(keys.expand) && Number(keys.expand.batch_size ?? 1) > 1) {
      const at = [...path, 'expand', 'batch_size'];
      source.reportKey(
        'SL211',
        at,
        "'batch_size' does nothing for a task of type run_pipeline: each run is started by itself.",
        'remove it',
      );
    }
  }
}
