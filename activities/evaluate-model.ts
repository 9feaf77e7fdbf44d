import Type from 'typebox';
import { texts } from '../lib/schema-fields.ts';
import { defineTask } from './define-task.ts';
import { MetricsSchema, modelKeys, programKeys, REGISTRY, STORAGE, TRAINED_BEFORE, versionKey } from './support/models/parameters.ts';
import type { ModelParams, ProgramParams } from './support/models/model-tasks.ts';

/** Measures a model. */
export const evaluateModel = defineTask({
  type: 'evaluate_model',
  description:
    'Measures a version and the champion on data that they have not seen. A Spark job gets where they are as --param model= and --param champion=; a program gets ' +
    'folders, as SLUICE_MODEL and SLUICE_CHAMPION. Both leave metrics.json: {"metrics": {…}, "champion": {…}}.',
  summary: ({ model, metrics = [] }) => `${model}${metrics.length === 0 ? '' : `: ${metrics.join(', ')}`}`,
  params: Type.Object({
    ...modelKeys,
    version: versionKey,
    metrics: Type.Optional(texts('Metrics', 'Metrics that the program must report. Default: any.', ['ndcg_at_10', 'recall_at_10'])),
    ...programKeys,
  }),
  exactlyOneOf: [['job_name', 'argv']],
  fromUpstream: TRAINED_BEFORE,
  result: Type.Object({
    model: Type.String(),
    version: Type.String(),
    metrics: MetricsSchema,
    champion: MetricsSchema,
    champion_version: Type.Union([Type.String(), Type.Null()]),
  }),
  connections: { storage: STORAGE, registry: REGISTRY },
  data: { reads: {} },
  example: {
    name: 'evaluate',
    type: 'evaluate_model',
    model: 'recommendations',
    version: '20240101T000000Z-1a2b3c4d',
    job_name: 'evaluate_recommendations',
  },
  run: async (ctx, params) =>
    (await import('./support/models/evaluate.ts')).evaluate(
      ctx,
      params as ModelParams & ProgramParams & { readonly version?: string; readonly metrics?: readonly string[] },
    ),
});
