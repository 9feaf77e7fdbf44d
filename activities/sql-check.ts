import Type from 'typebox';
import { text, TABLE_NAME } from '../lib/schema-fields.ts';
import { connectionName } from './support/dataset/parameters.ts';
import { defineTask } from './define-task.ts';
import { DATABASE, withDatabase } from './support/sql/database.ts';
import { checkMistakes, checks } from './sql-check/check.ts';
import { type CheckOutcome, runChecks } from './sql-check/run-checks.ts';

/** Checks values in a database. */
export const sqlCheck = defineTask({
  type: 'sql_check',
  description: 'Fails when values in a database are not what they must be, and names the rows.',
  summary: (params) => params.checks.map(({ name }) => name).join(', '),
  params: Type.Object({
    table: Type.Optional(text('Table', 'What the checks of columns are about.', 'orders', { template: 'none', ...TABLE_NAME })),
    where: Type.Optional(text('Condition', 'Which of its rows are checked.', 'day = {{ ds }}', { template: 'sql' })),
    checks,
  }),
  // Plain JSON Schema with a TypeScript type: the output is readonly, and TypeBox's types are mutable.
  result: Type.Unsafe<CheckOutcome>(
    Type.Object({
      passed: Type.Integer(),
      failed: Type.Integer(),
      checks: Type.Array(
        Type.Object({
          name: Type.String(),
          ok: Type.Boolean(),
          value: Type.Unknown(),
          expected: Type.String(),
          rows: Type.Array(Type.Record(Type.String(), Type.Unknown())),
        }),
      ),
    }),
  ),
  mistakes: checkMistakes,
  connections: { database: DATABASE },
  example: { name: 'check_orders', type: 'sql_check', checks: [{ name: 'has_rows', sql: 'SELECT count(*) FROM orders', min: 1 }] },
  run: ({ connections, task, interval, signal }, params) =>
    withDatabase({ connection: connections.database, name: connectionName(params, DATABASE), task, doing: 'check', signal }, (database) =>
      runChecks(database, params, interval),
    ),
});
