import Type from 'typebox';
import { texts } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';

/** Runs a program. */
export const commandTask = declareTask({
  type: 'command',
  runtime: 'planned',
  description: 'Runs a program that the workers allow. Never a shell.',
  summary: ({ argv }) => argv.join(' ').slice(0, 80),
  params: Type.Object({
    argv: texts('Arguments', 'The program and its arguments, each on its own: no shell reads them.', [
      'python3',
      'jobs/report.py',
      '{{ ds }}',
    ]),
    env: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        title: 'Environment',
        description: 'Variables that it gets.',
        examples: [{ REGION: 'eu' }],
      }),
    ),
  }),
  result: Type.Object({ exit_code: Type.Integer(), stdout: Type.String(), json: Type.Unknown() }),
  connections: {},
  example: { name: 'report', type: 'command', argv: ['python3', 'jobs/report.py', '{{ ds }}'] },
});
