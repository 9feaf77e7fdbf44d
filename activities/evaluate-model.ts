import Type from 'typebox';
import { text, texts } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';

/** Measures a model. */
export const evaluateModel = declareTask({
  type: 'evaluate_model',
  runtime: 'planned',
  description: 'Measures a model on data that it has not seen.',
  summary: ({ model }) => model,
  params: Type.Object({
    model: text('Model', 'Its name in the registry.', 'recommendations', { template: 'none' }),
    version: Type.Optional(text('Version', 'The version. Default: the one that was trained before.', '{{ outputs.train.version }}')),
    metrics: Type.Optional(texts('Metrics', 'What is measured.', ['ndcg_at_10', 'recall_at_10'])),
    job_name: Type.Optional(text('Job', 'Runs jobs/<job_name>.py with Spark.', 'evaluate_recommendations', { template: 'none' })),
  }),
  result: Type.Object({
    model: Type.String(),
    version: Type.String(),
    metrics: Type.Record(Type.String(), Type.Number()),
    champion: Type.Record(Type.String(), Type.Number()),
  }),
  connections: {},
  example: { name: 'evaluate', type: 'evaluate_model', model: 'recommendations' },
});
