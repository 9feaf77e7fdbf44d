import Type from 'typebox';
import { defineTrigger } from './define-trigger.ts';
import { resetToTime } from './run/time-cursor.ts';

const uris = (description: string) =>
  Type.Optional(
    Type.Array(Type.String({ format: 'uri' }), {
      minItems: 1,
      uniqueItems: true,
      title: 'Datasets',
      description,
      examples: [['s3://warehouse/sales']],
    }),
  );

/** Datasets that other pipelines produce. */
export const dataset = defineTrigger({
  type: 'dataset',
  description: 'Starts runs when datasets are updated: the outlets of other pipelines.',
  params: Type.Object({
    all: uris('A run starts when each of them is new.'),
    any: uris('A run starts when one of them is new.'),
    coalesce: Type.Optional(
      Type.Boolean({
        title: 'Coalesce',
        description: 'Updates that come while a run waits to start are one. Default: false.',
        examples: [true],
      }),
    ),
  }),
  exactlyOneOf: [['any', 'all']],
  event: { value: { fields: { updates: { list: 'dyn' }, count: 'int' } } },
  sensor: { run: async (context) => (await import('./temporal/watch-datasets.ts')).watchDatasets(context), reset: resetToTime },
  example: { name: 'sales_made', type: 'dataset', any: ['s3://warehouse/sales'] },
});
