import type { Source } from '../read/source.ts';
import type { TaskNode } from '../resolve/task-node.ts';

/** Warns of tasks that an import could not convert, until they are written by hand. */
export function checkUnfinished(source: Source, nodes: readonly TaskNode[]): void {
  for (const { name, type, keys, path } of nodes) {
    if (type !== 'unfinished') continue;
    source.report(
      'SL314',
      [...path, 'type'],
      `Task '${name}' is a placeholder and fails: ${String(keys.missing)}.`,
      'write the task, or remove it',
    );
  }
}
