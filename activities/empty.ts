import Type from 'typebox';
import { declareTask } from './define-task.ts';

/** Does nothing: a joint of several tasks, or a point where they branch. */
export const empty = declareTask({
  type: 'empty',
  runtime: 'interpreter',
  description: 'Does nothing: a joint of several tasks, or the place of a switch.',
  summary: () => '',
  params: Type.Object({}),
  result: Type.Null(),
  connections: {},
  example: { name: 'all_loaded', type: 'empty' },
});
