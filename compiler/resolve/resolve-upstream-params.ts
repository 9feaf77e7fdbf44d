import type { TaskType } from '../../activities/define-task.ts';
import { upstreamByDistance } from '../../workflows/plan/graph.ts';
import type { FillIn } from './fill-in.ts';
import type { TaskGraph } from './resolve-graph.ts';
import type { Source } from '../read/source.ts';
import type { TaskNode } from './task-node.ts';

/**
 * Fills in parameters that follow from an upstream task: the `version` of a task about a model is the output of its training.
 * @returns the nodes, replaced if something was filled in; mistakes are in `source`
 */
export function resolveUpstreamParams(
  source: Source,
  nodes: readonly TaskNode[],
  graph: TaskGraph,
  types: ReadonlyMap<string, TaskType>,
  filledIn: FillIn[],
): TaskNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return nodes.map((node) => {
    const { name, keys, path, type = '' } = node;
    const open = Object.entries(types.get(type)?.fromUpstream ?? {}).filter(([key]) => keys[key] === undefined);
    if (name === undefined || open.length === 0) return node;
    const before = upstreamByDistance(graph.upstream, name);
    const added: Record<string, string> = {};
    for (const [key, { type: required, output, same }] of open) {
      const fits = (task: string): boolean => {
        const other = byName.get(task);
        return other?.type === required && other.keys[same] === keys[same] && other.keys.expand === undefined;
      };
      const nearest = before.map((ring) => ring.filter(fits)).find((ring) => ring.length > 0) ?? [];
      const [producer] = nearest;
      if (producer === undefined || nearest.length > 1) {
        const why =
          producer === undefined
            ? `no ${required} task of the same ${same} is upstream of it`
            : `it could be the one of ${nearest.join(' or ')}`;
        source.report(
          'SL401',
          [...path, 'name'],
          `Task '${name}' needs '${key}': ${why}.`,
          `add '${key}', such as ${key}: "{{ outputs.train.${output} }}"`,
        );
        continue;
      }
      added[key] = `{{ outputs.${producer}.${output} }}`;
      filledIn.push({ task: name, what: key, value: `the ${output} of ${producer}`, why: `the nearest ${required} task before it` });
    }
    return { ...node, keys: { ...keys, ...added } };
  });
}
