import Type from 'typebox';
import { declareTask } from './define-task.ts';

/** Does nothing: joins several tasks, or marks a branching point. */
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
