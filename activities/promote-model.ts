import Type from 'typebox';
import { condition, text } from '../lib/schema-fields.ts';
import { defineTask } from './define-task.ts';
import { modelKeys, REGISTRY, STORAGE, TRAINED_BEFORE, versionKey } from './support/models/parameters.ts';

/** Makes a model version the champion. */
export const promoteModel = defineTask({
  type: 'promote_model',
  description:
    'Makes a version of a model the champion, when it is better than the one in use. It succeeds also when it is not: `promoted` is the result, and `champion_version` is the version in use. Without ' +
    'a champion to compare with, only what promote_when asks of its metrics applies.',
  summary: ({ model, promote_when }) => `${model}${promote_when === undefined ? '' : ` when ${promote_when}`}`,
  params: Type.Object({
    ...modelKeys,
    version: versionKey,
    promote_when: Type.Optional(
      condition(
        'When',
        'The gate: a condition over its metrics and those of the champion.',
        'metrics.ndcg_at_10 >= champion.ndcg_at_10 + 0.002',
        ['metrics', 'champion'],
      ),
    ),
    instead_of: Type.Optional(
      text(
        'Instead of',
        'Only while this version is the champion: takes this promotion back, and no other.',
        '{{ outputs.promote.version }}',
      ),
    ),
  }),
  fromUpstream: TRAINED_BEFORE,
  undoesSame: 'model',
  outputExpires: true,
  result: Type.Object({
    model: Type.String(),
    version: Type.String(),
    promoted: Type.Boolean(),
    previous: Type.Union([Type.String(), Type.Null()]),
    champion_version: Type.Union([Type.String(), Type.Null()]),
    champion_uri: Type.Union([Type.String(), Type.Null()]),
    reason: Type.String(),
  }),
  connections: { storage: STORAGE, registry: REGISTRY },
  example: {
    name: 'promote',
    type: 'promote_model',
    model: 'recommendations',
    version: '20240101T000000Z-1a2b3c4d',
    promote_when: 'metrics.ndcg_at_10 >= champion.ndcg_at_10 + 0.002',
  },
  run: async (ctx, params) => (await import('./support/models/promote.ts')).promote(ctx, params),
});
