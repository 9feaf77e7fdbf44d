import Type from 'typebox';
import { texts } from '../lib/schema-fields.ts';
import { isMap, type Json } from '../workflows/plan/values/json.ts';
import { refusedName } from './command/env-names.ts';
import { runCommand } from './command/run-command.ts';
import { defineTask } from './define-task.ts';

/** Runs a program. */
export const commandTask = defineTask({
  type: 'command',
  description:
    'Runs a program that the workers allow (SLUICE_COMMANDS). Never a shell. The task ends when the program ends; what it leaves running in its ' +
    'session gets SIGTERM, and SIGKILL after 10 s. A cancelled task ends the same way. A worker that is killed may leave the program behind.',
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
        description:
          'Variables that it gets. None that steers a loader, an interpreter or a shell (PATH, LD_…, PYTHON…, NODE_…), and no others than the workers allow.',
        examples: [{ REGION: 'eu' }],
      }),
    ),
  }),
  result: Type.Object({ exit_code: Type.Integer(), stdout: Type.String(), json: Type.Unsafe<Json>(Type.Unknown()) }),
  ownsEffects: true,
  connections: {},
  example: { name: 'report', type: 'command', argv: ['python3', '-c', 'import sys; print("report of", sys.argv[1])', '{{ ds }}'] },
  mistakes: ({ argv: [program = ''], env = {} }) => [
    ...(/^[\w./-]+ /.test(program)
      ? [
          {
            at: ['argv', 0],
            message: `'${program.slice(0, 80)}' is a whole command, and 'argv' has its words one by one: no shell splits them.`,
            hint: `write [${program.split(/ +/).join(', ')}]`,
          },
        ]
      : []),
    // An expression is a single string until it is evaluated.
    ...Object.keys(isMap(env) ? env : {}).flatMap((name) => {
      const reason = refusedName(name);
      const hint = 'hand the value over in `argv`, or under another name';
      return reason === undefined ? [] : [{ at: ['env', name], message: `'env' cannot set ${name}: ${reason}.`, hint }];
    }),
  ],
  run: (context, params) => runCommand(context, params),
});
