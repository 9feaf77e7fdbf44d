import Type from 'typebox';
import { text } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';
import { WAIT_KEYS } from './wait-keys.ts';

/** Waits for a time. */
export const waitUntil = declareTask({
  type: 'wait_until',
  runtime: 'planned',
  description: 'Waits for a time; waiting holds no worker.',
  summary: ({ time }) => `until ${time}`,
  params: Type.Object({
    time: text('Time', 'A time, or a time of day in the time zone of the pipeline.', '06:00'),
    ...WAIT_KEYS,
  }),
  result: Type.Object({ time: Type.String() }),
  connections: {},
  example: { name: 'wait_for_morning', type: 'wait_until', time: '06:00' },
});
