import Type from 'typebox';
import { defineTask } from './define-task.ts';
import { MetricsSchema, modelKeys, programKeys, REGISTRY, splitKey, STORAGE } from './support/models/parameters.ts';
import type { ModelParams, ProgramParams } from './support/models/model-tasks.ts';
import type { Split } from './support/models/split-data.ts';

/** Trains a model. */
export const trainModel = defineTask({
  type: 'train_model',
  description:
    'Trains a model on the data of the task before it, and registers it as a new version. A Spark job gets --input and --output; a program gets folders, ' +
    'as SLUICE_INPUT and SLUICE_OUTPUT, and its parameters as JSON in SLUICE_PARAMS. Both leave the model there, and may leave metrics.json.',
  summary: ({ model, job_name, argv }) => `${model} by ${job_name ?? argv?.join(' ').slice(0, 60) ?? ''}`,
  params: Type.Object({ ...modelKeys, ...programKeys, split: splitKey }),
  exactlyOneOf: [['job_name', 'argv']],
  result: Type.Object({ model: Type.String(), version: Type.String(), uri: Type.String(), metrics: MetricsSchema }),
  connections: { storage: STORAGE, registry: REGISTRY },
  data: { reads: {} },
  lineage: true,
  example: { name: 'train', type: 'train_model', model: 'recommendations', job_name: 'train_recommendations' },
  run: async (ctx, params) =>
    (await import('./support/models/train.ts')).train(ctx, params as ModelParams & ProgramParams & { readonly split?: Split }),
});
