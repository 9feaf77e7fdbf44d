import Type from 'typebox';
import { anyMap, map, text, texts } from '../../../lib/schema-fields.ts';
import { connectionField } from '../../../connections/connection-field.ts';
import type { Metrics } from './model-registry.ts';

export const DEFAULT_STORE = 's3://models';

/** The format of model names. */
export const MODEL_NAME = {
  pattern: '^[a-z][a-z0-9_-]{0,99}$',
  form: 'lowercase letters, digits, _ and -, starting with a letter',
} as const;

/** The format of model store URIs. No part is a dot segment. */
export const STORE_URI = {
  pattern: '^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?$',
  form: 's3://bucket/prefix',
  format: 'path',
} as const;

/** Keys of all model tasks. */
export const modelKeys = {
  model: text('Model', 'Its name in the registry.', 'recommendations', { template: 'none', ...MODEL_NAME }),
  store: Type.Optional(
    text(
      'Store',
      `Where the files of models are, and the registry with them unless registry_conn_id names another. Default: ${DEFAULT_STORE}.`,
      's3://models',
      { template: 'none', ...STORE_URI },
    ),
  ),
};

/** Keys of model tasks that run a program. */
export const programKeys = {
  job_name: Type.Optional(
    text('Job', 'Runs jobs/<job_name>.py with Spark. Either this or argv.', 'train_recommendations', {
      template: 'none',
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_-]*$',
      form: 'letters, digits, _ and -',
    }),
  ),
  argv: Type.Optional(texts('Arguments', 'A program that the workers allow, and its arguments.', ['python3', 'jobs/train.py'])),
  params: Type.Optional(anyMap('Parameters', 'Handed to the job.', { rank: 32 })),
  spark_conn_id: Type.Optional(connectionField('The Spark that runs the job. Default: spark_default.', 'spark_default', ['spark'])),
};

/** How a training sets rows aside. */
export const splitKey = Type.Optional(
  map(
    'Split',
    'Sets the newest rows aside: the model is trained on the others, and evaluate_model measures it on these where it reads the same data.',
    { by: 'occurred_at', test: '20%' },
    {
      by: text(
        'By',
        'The column whose largest values are set aside, of dates, times or numbers. Rows with the same value stay together. `time` is, where no ' +
          'column is called so, the only column of dates or times.',
        'occurred_at',
        { template: 'none' },
      ),
      test: text('Test', 'How many of the rows are set aside.', '20%', {
        template: 'none',
        pattern: '^(?!0*(\\.0*)?%$)[0-9]{1,2}(\\.[0-9]+)?%$',
        form: 'a part such as 20%, more than 0% and less than 100%',
      }),
    },
  ),
);

/** The version that a task works on. */
export const versionKey = Type.Optional(
  text('Version', 'Default: the one that the task before it has trained.', '{{ outputs.train.version }}'),
);

/** The default of `version`. */
export const TRAINED_BEFORE = { version: { type: 'train_model', output: 'version', same: 'model' } } as const;

// Plain JSON Schema with a TypeScript type: metrics are readonly, and TypeBox's types are mutable.
export const MetricsSchema = Type.Unsafe<Metrics>(Type.Record(Type.String(), Type.Number()));

export const STORAGE = {
  key: 'aws_conn_id',
  default: 'aws_default',
  types: ['aws'],
  description: 'Where the data and the models are.',
} as const;

export const REGISTRY = {
  key: 'registry_conn_id',
  types: ['mlflow'],
  description: 'The MLflow that keeps versions and champions. Without it, the store does.',
} as const;
