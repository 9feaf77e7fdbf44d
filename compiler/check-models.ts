import type { HandOver } from './resolve-data.ts';
import type { Source } from './source.ts';
import type { TaskNode } from './task-node.ts';

/** Reports models that are measured on the data that trained them: one that knows it by heart would look better than an honest one. */
export function checkModels(source: Source, nodes: readonly TaskNode[], handOver: ReadonlyMap<string, HandOver>): void {
  const inputOf = ({ name = '' }: TaskNode): string | undefined => handOver.get(name)?.inputFrom;
  const trainings = nodes.filter(({ type }) => type === 'train_model');
  for (const node of nodes) {
    const input = inputOf(node);
    if (node.type !== 'evaluate_model' || input === undefined) continue;
    const training = trainings.find((each) => each.keys.model === node.keys.model && inputOf(each) === input);
    if (!training) continue;
    source.report(
      'SL407',
      [...node.path, node.keys.inputs === undefined ? 'type' : 'inputs'],
      `Task '${node.name}' measures the model on the data of '${input}', on which '${training.name}' trains it.`,
      'extract data that the training does not see, and name that task in `inputs`',
    );
  }
}
