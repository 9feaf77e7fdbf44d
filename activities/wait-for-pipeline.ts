import Type from 'typebox';
import { choice, text } from '../lib/schema-fields.ts';
import { defineTask } from './define-task.ts';
import { notYet, platformFault } from './errors.ts';
import { WAIT_DEFAULTS, WAIT_KEYS } from './wait-keys.ts';

/** Waits for another pipeline. */
export const waitForPipeline = defineTask({
  type: 'wait_for_pipeline',
  description: 'Waits for a run of another pipeline; waiting holds no worker.',
  summary: ({ dag_id: dagId, interval = 'same', state = 'success' }) =>
    `${dagId}: ${{ same: 'the run of the same interval', covering: 'a run that covers the interval', latest: 'the latest run' }[interval]}, ${state}`,
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
  waits: true,
  defaults: WAIT_DEFAULTS,
  example: { name: 'wait_for_sales', type: 'wait_for_pipeline', dag_id: 'daily_product_sales_analysis', timeout: '6h' },
  async run({ runs, interval: { start, end } }, { dag_id: dagId, interval = 'same', state = 'success' }) {
    const found = await runs.find({ dagId, interval, start, end }).catch((error: unknown) => {
      throw platformFault('TemporalUnavailable', 'Temporal could not be asked for the runs.', error);
    });
    const ended = found.find((run) => run.state === state);
    if (ended) return { run_id: ended.run_id };
    const which = { same: `for ${start} – ${end}`, covering: `that covers ${start} – ${end}`, latest: 'at all' }[interval];
    const [newest] = found;
    throw notYet(newest ? `${newest.run_id} is ${newest.state}, not ${state}.` : `${dagId} has no run ${which}.`);
  },
});
