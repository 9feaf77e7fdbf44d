import Type from 'typebox';
import { text } from '../../lib/schema-fields.ts';
import { defineTask } from '../define-task.ts';
import { userFault } from './errors.ts';

/** Placeholder for a task that is not written yet. */
export const unfinished = defineTask({
  type: 'unfinished',
  description:
    'Placeholder that fails with what is missing. `sluice import` writes it in place of what it cannot convert, so that nothing behind it runs as if it had been done; `sluice validate` warns about it until it is replaced.',
  summary: ({ missing }) => missing.slice(0, 80),
  params: Type.Object({
    missing: text('Missing', 'What is to be written here.', 'BranchPythonOperator chooses by Python of yours', { template: 'none' }),
  }),
  result: Type.Null(),
  connections: {},
  example: { name: 'choose', type: 'unfinished', missing: 'BranchPythonOperator chooses by Python of yours: write a switch' },
  run: (_, { missing }) => Promise.reject(userFault('Unfinished', `This task is not written yet: ${missing}`)),
});
