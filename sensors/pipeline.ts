import Type from 'typebox';
import { text } from '../lib/schema-fields.ts';
import { defineTrigger } from './define-trigger.ts';
import { resetToTime } from './run/time-cursor.ts';

/** Runs of another pipeline. */
export const pipeline = defineTrigger({
  type: 'pipeline',
  description: 'Starts runs when a run of another pipeline has ended.',
  params: Type.Object({
    dag_id: text('Pipeline', 'The other pipeline.', 'daily_product_sales_analysis'),
    states: Type.Optional(
      Type.Array(Type.Union([Type.Literal('success'), Type.Literal('failed'), Type.Literal('canceled')]), {
        minItems: 1,
        uniqueItems: true,
        title: 'States',
        description: 'How it must have ended. Default: success.',
        examples: [['success']],
      }),
    ),
    interval: Type.Optional(
      Type.Union([Type.Literal('same'), Type.Literal('covering')], {
        title: 'Interval',
        description: 'Which data interval the new run works on: the same, or its own that covers it. Default: same.',
        examples: ['same'],
      }),
    ),
  }),
  event: {
    value: {
      fields: {
        ...{ run_id: 'string', dag_id: 'string', state: 'string', cause: 'string' },
        ...{ data_interval_start: 'string', data_interval_end: 'string' },
      },
    },
  },
  sensor: { run: async (context) => (await import('./temporal/watch-runs.ts')).watchRuns(context), reset: resetToTime },
  example: { name: 'after_sales', type: 'pipeline', dag_id: 'daily_product_sales_analysis' },
});
