import Type from 'typebox';
import { expression, text } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';

/** Makes a model the one in use. */
export const promoteModel = declareTask({
  type: 'promote_model',
  runtime: 'planned',
  description: 'Makes a version of a model the champion, when it is better than the one in use.',
  summary: ({ model, promote_when }) => `${model}${promote_when === undefined ? '' : ` when ${promote_when}`}`,
  params: Type.Object({
    model: text('Model', 'Its name in the registry.', 'recommendations', { template: 'none' }),
    version: Type.Optional(text('Version', 'The version. Default: the one that was trained before.', '{{ outputs.train.version }}')),
    promote_when: Type.Optional(
      expression(
        'When',
        'The gate: a condition over its metrics and those of the champion.',
        'metrics.ndcg_at_10 >= champion.ndcg_at_10 + 0.002',
        ['metrics', 'champion'],
      ),
    ),
  }),
  result: Type.Object({
    model: Type.String(),
    version: Type.String(),
    promoted: Type.Boolean(),
    previous: Type.Union([Type.String(), Type.Null()]),
  }),
  connections: {},
  example: {
    name: 'promote',
    type: 'promote_model',
    model: 'recommendations',
    promote_when: 'metrics.ndcg_at_10 >= champion.ndcg_at_10 + 0.002',
  },
});
