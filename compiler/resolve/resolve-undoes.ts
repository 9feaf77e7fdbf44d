import type { TaskType } from '../../activities/define-task.ts';
import { didYouMean } from '../mistakes/diagnostic.ts';
import type { FillIn } from './fill-in.ts';
import type { Source } from '../read/source.ts';
import type { TaskNode } from './task-node.ts';

/**
 * Resolves which task each handler reverts: the task in `undoes`, else the one that its type reverts by default.
 * @returns full names by task name; mistakes are in `source`
 */
export function resolveUndoes(
  source: Source,
  nodes: readonly TaskNode[],
  types: ReadonlyMap<string, TaskType>,
  filledIn: FillIn[],
): ReadonlyMap<string, string> {
  const undone = new Map<string, string>();
  const tasks = nodes.filter(({ list }) => list === 'tasks');
  const names = tasks.flatMap(({ name }) => name ?? []);
  for (const { name, list, keys, path, type } of nodes) {
    if (name === undefined) continue;
    const { undoes } = keys;
    const at = [...path, 'undoes'];
    if (typeof undoes === 'string') {
      if (list === 'tasks') {
        source.reportKey(
          'SL315',
          at,
          `Task '${name}' cannot undo another: only tasks of on_failure, on_success and finally can.`,
          'remove it, or move the task to on_failure',
        );
      } else if (!names.includes(undoes)) {
        source.report(
          'SL315',
          at,
          `Task '${name}' undoes '${undoes}', which is not in \`tasks\`.`,
          didYouMean(undoes, names) ?? `tasks: ${names.join(', ')}`,
        );
      } else undone.set(name, undoes);
      continue;
    }
    const same = types.get(type ?? '')?.undoesSame;
    if (list === 'tasks' || same === undefined) continue;
    const [other, ...more] = tasks.filter((each) => each.type === type && each.keys[same] === keys[same]);
    // If several tasks match, only the file can decide.
    if (other?.name === undefined || more.length > 0) continue;
    undone.set(name, other.name);
    filledIn.push({ task: name, what: 'undoes', value: other.name, why: `it is the ${type} of the same ${same}: a rerun repeats it` });
  }
  return undone;
}
