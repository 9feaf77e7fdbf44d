import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { Source } from '../read/source.ts';
import { chainOf, groupNodes, MAX_GROUP_DEPTH, type TaskNode } from '../resolve/task-node.ts';

/** Full names are used as activity ids and in S3 keys. */
const MAX_FULL_NAME = 250;

/** Reports groups without tasks, groups that are nested too deeply, and full names that are too long. */
export function checkGroups(source: Source, value: JsonObject, nodes: readonly TaskNode[]): void {
  for (const { name, keys, path } of groupNodes(value)) {
    const depth = chainOf(name).length;
    if (depth === MAX_GROUP_DEPTH + 1)
      source.report('SL206', [...path, 'name'], `Group '${name}' is ${depth} levels deep; at most ${MAX_GROUP_DEPTH} levels are allowed.`);
    if (keys.tasks === undefined && keys.task_groups === undefined)
      source.reportInside('SL202', path, `'tasks' is missing in the group '${name}'.`, 'list its tasks, or its groups under `task_groups`');
  }
  for (const { name, path } of nodes) {
    if (name !== undefined && name.length > MAX_FULL_NAME)
      source.report(
        'SL206',
        [...path, 'name'],
        `With its groups, the name of this task has ${name.length} characters; at most ${MAX_FULL_NAME} are allowed.`,
        'shorten the names of its groups',
      );
  }
}
