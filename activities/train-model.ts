import Type from 'typebox';
import { anyMap, text, texts } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';

/** Trains a model. */
export const trainModel = declareTask({
  type: 'train_model',
  runtime: 'planned',
  description: 'Trains a model and keeps it as a new version.',
  summary: ({ model }) => model,
  params: Type.Object({
    model: text('Model', 'Its name in the registry.', 'recommendations', { template: 'none' }),
    job_name: Type.Optional(
      text('Job', 'Runs jobs/<job_name>.py with Spark; either this or argv.', 'train_recommendations', { template: 'none' }),
    ),
    argv: Type.Optional(texts('Arguments', 'A program that trains it, and its arguments.', ['python3', 'jobs/train.py'])),
    params: Type.Optional(anyMap('Parameters', 'Handed to the job.', { rank: 32 })),
  }),
  exactlyOneOf: [['job_name', 'argv']],
  result: Type.Object({
    model: Type.String(),
    version: Type.String(),
    uri: Type.String(),
    metrics: Type.Record(Type.String(), Type.Number()),
  }),
  connections: {},
  example: { name: 'train', type: 'train_model', model: 'recommendations', job_name: 'train_recommendations' },
});
