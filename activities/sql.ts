import Type from 'typebox';
import { text } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';

/** Runs SQL on a connection. */
export const sql = declareTask({
  type: 'sql',
  runtime: 'planned',
  description: 'Runs a statement on a database, in one transaction.',
  summary: ({ statement }) => statement.trim().split('\n', 1)[0]?.slice(0, 80) ?? '',
  params: Type.Object({
    statement: text('Statement', 'The SQL to run. Expressions become literals.', 'DELETE FROM staging WHERE day = {{ ds }}', {
      template: 'sql',
    }),
  }),
  result: Type.Object({ rows: Type.Integer(), first: Type.Record(Type.String(), Type.Unknown()) }),
  connections: { database: { key: 'conn_id', default: 'postgres_default', types: ['postgres', 'redshift'], description: 'The database.' } },
  example: { name: 'clear_staging', type: 'sql', statement: 'DELETE FROM staging WHERE day = {{ ds }}' },
});
