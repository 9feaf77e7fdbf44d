import Type from 'typebox';
import { sqlFile, text } from '../lib/schema-fields.ts';
import { connectionName } from './support/dataset/parameters.ts';
import { defineTask, type ParamMistake } from './define-task.ts';
import { DATABASE, sqlAt, withDatabase } from './support/sql/database.ts';
import { endsTransaction, RUN_EACH_BY_ITSELF, runEachByItself, runInTransaction } from './support/sql/run-statements.ts';

/** Runs SQL on a connection. */
export const sql = defineTask({
  type: 'sql',
  description:
    'Runs one or more statements on a database, all in one transaction. `first` has numbers up to 32 bits, floats, booleans and JSON as JSON, times as ISO 8601 in UTC, and everything else as text. A worker that dies just after it has committed runs them again: write them so that twice is once.',
  summary: (params) => params.sql.trim().split('\n', 1)[0]?.slice(0, 80) ?? '',
  params: Type.Object({
    sql: text(
      'SQL',
      'The SQL to run. Expressions become literals. COMMIT, BEGIN and ROLLBACK are refused, because the task has its own transaction; on Redshift TRUNCATE too, which commits.',
      'DELETE FROM staging WHERE day = {{ ds }}',
      {
        template: 'sql',
        formerly: 'statement',
      },
    ),
    sql_file: sqlFile('sql'),
    transaction: Type.Optional(
      Type.Boolean({
        title: 'One transaction',
        description:
          'false runs each statement separately, for VACUUM, CREATE INDEX CONCURRENTLY and others that no transaction can hold. When one fails, those before it stay, and a retry runs all of them again.',
        default: true,
        examples: [false],
      }),
    ),
  }),
  result: Type.Object({ rows: Type.Integer(), first: Type.Record(Type.String(), Type.Unknown()) }),
  mistakes: ({ sql: statement, transaction = true }): ParamMistake[] => {
    // Quotes in an expression are not SQL quotes.
    const wrong = transaction
      ? endsTransaction(statement.replace(/\{\{[^]*?\}\}/g, (expression) => expression.replace(/[^\n]/g, ' ')))
      : undefined;
    return wrong === undefined ? [] : [{ at: ['sql'], message: `${wrong}.`, hint: RUN_EACH_BY_ITSELF }];
  },
  connections: { database: DATABASE },
  example: { name: 'clear_staging', type: 'sql', sql: 'DELETE FROM staging WHERE day = {{ ds }}' },
  run: ({ connections: { database: connection }, task, signal }, { sql: statement, transaction = true, ...params }) =>
    withDatabase({ connection, name: connectionName(params, DATABASE), task, doing: 'run the statement', signal }, (database) =>
      transaction
        ? runInTransaction(database, sqlAt(database, statement), connection.type)
        : runEachByItself(database, sqlAt(database, statement)),
    ),
});
