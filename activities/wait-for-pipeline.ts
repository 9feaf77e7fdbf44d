import Type from 'typebox';
import { choice, text } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';
import { WAIT_KEYS } from './wait-keys.ts';

/** Waits for another pipeline. */
export const waitForPipeline = declareTask({
  type: 'wait_for_pipeline',
  runtime: 'planned',
  description: 'Waits for a run of another pipeline; waiting holds no worker.',
  summary: ({ dag_id }) => dag_id,
  params: Type.Object({
    dag_id: text('Pipeline', 'The other pipeline.', 'daily_product_sales_analysis', { template: 'none' }),
    interval: Type.Optional(
      choice('Interval', 'Which of its runs: of the same data interval, of one that covers it, or the latest. Default: same.', [
        'same',
        'covering',
        'latest',
      ]),
    ),
    state: Type.Optional(choice('State', 'How it must have ended. Default: success.', ['success', 'failed'])),
    ...WAIT_KEYS,
  }),
  result: Type.Object({ run_id: Type.String() }),
  connections: {},
  example: { name: 'wait_for_sales', type: 'wait_for_pipeline', dag_id: 'daily_product_sales_analysis', timeout: '6h' },
});
