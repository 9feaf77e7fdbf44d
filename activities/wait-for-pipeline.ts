import Type from 'typebox';
import { choice, text } from '../lib/schema-fields.ts';
import { intervalOffset } from '../workflows/plan/timetable/interval-offset.ts';
import { defineTask } from './define-task.ts';
import { notYet, platformFault } from './run/errors.ts';
import type { FoundRun } from './run/run-lookup.ts';
import { WAIT_DEFAULTS, WAIT_KEYS } from './run/wait-keys.ts';

const WHICH = { same: 'the run of the same interval', covering: 'a run that covers the interval', latest: 'the latest run' } as const;

/** Waits for another pipeline, or for one task of it. */
export const waitForPipeline = defineTask({
  type: 'wait_for_pipeline',
  description: 'Waits for a run of another pipeline, or for one task of it; waiting holds no worker.',
  summary: ({ dag_id: dagId, task, interval = 'same', offset, state = 'success' }) =>
    `${dagId}${task === undefined ? '' : `, task ${task}`}: ${WHICH[interval]}${offset === undefined ? '' : `, ${offset.replace(/^-/, '')} ${offset.startsWith('-') ? 'after' : 'before'} it`}, ${state}`,
  params: Type.Object({
    dag_id: text('Pipeline', 'The other pipeline.', 'daily_product_sales_analysis', { template: 'none' }),
    task: Type.Optional(
      text('Task', 'A task of it, group.task in a group, whose end is waited for. Default: the end of the whole run.', 'load', {
        template: 'none',
      }),
    ),
    interval: Type.Optional(
      choice('Interval', 'Which of its runs: of the same data interval, of one that covers it, or the latest. Default: same.', [
        'same',
        'covering',
        'latest',
      ]),
    ),
    offset: Type.Optional(
      text(
        'Offset',
        'Its data interval begins so long before that of this run; with a minus, so long after. Whole days are counted by the clocks of the time zone. Default: 0s.',
        '1d',
        {
          template: 'none',
          pattern: '^-?(?=\\d)(?:\\d{1,3}w)?(?:\\d{1,4}d)?(?:\\d{1,5}h)?(?:\\d{1,6}m)?(?:\\d{1,8}s)?$',
          form: 'a duration such as 1d or 2h30m, with a minus for an interval after this one: -1h',
        },
      ),
    ),
    state: Type.Optional(choice('State', 'How it must have ended. Default: success.', ['success', 'failed'])),
    ...WAIT_KEYS,
  }),
  mistakes: ({ interval, offset }) =>
    interval === 'latest' && offset !== undefined
      ? [
          {
            at: ['offset'],
            message: '`interval: latest` is the run that was started last, whatever its interval is.',
            hint: 'remove one of the two',
          },
        ]
      : [],
  result: Type.Object({ run_id: Type.String() }),
  connections: {},
  waits: true,
  defaults: WAIT_DEFAULTS,
  example: { name: 'wait_for_sales', type: 'wait_for_pipeline', dag_id: 'daily_product_sales_analysis', timeout: '6h' },
  async run({ runs, pipelineRunId, interval: own, timezone }, { dag_id: dagId, task, interval = 'same', offset, state = 'success' }) {
    const { start, end } = offset === undefined ? own : intervalOffset(own, offset, timezone);
    const unavailable = (error: unknown): never => {
      throw platformFault('TemporalUnavailable', 'Temporal could not be asked for the runs.', error);
    };
    const found = await runs.find({ dagId, interval, start, end, askedBy: pipelineRunId }).catch(unavailable);
    const stateOf = async (run: FoundRun): Promise<string> =>
      task === undefined ? run.state : ((await runs.taskState(run.run_id, task).catch(unavailable)) ?? 'missing');
    let newest: string | undefined;
    for (const run of task === undefined ? found : found.slice(0, MOST_RUNS)) {
      const actual = await stateOf(run);
      if (actual === state) return { run_id: run.run_id };
      newest ??= `${task === undefined ? '' : `Task '${task}' of `}${run.run_id} is ${actual}, not ${state}.`;
    }
    const which = { same: ` for ${start} – ${end}`, covering: ` that covers ${start} – ${end}`, latest: '' }[interval];
    throw notYet(newest ?? `${dagId} has no run${which}.`);
  },
});

/** The task is looked up in this many runs of one interval, newest first. */
const MOST_RUNS = 20;
