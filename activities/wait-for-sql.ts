import Type from 'typebox';
import { text } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';
import { WAIT_KEYS } from './wait-keys.ts';

/** Waits for a row. */
export const waitForSql = declareTask({
  type: 'wait_for_sql',
  runtime: 'planned',
  description: 'Waits until a query gives a row whose first value is true or not 0; waiting holds no worker.',
  summary: () => '',
  params: Type.Object({
    query: text('Query', 'A SELECT.', 'SELECT count(*) FROM loads WHERE day = {{ ds }}', { template: 'sql' }),
    ...WAIT_KEYS,
  }),
  result: Type.Object({ first: Type.Record(Type.String(), Type.Unknown()) }),
  connections: { database: { key: 'conn_id', default: 'postgres_default', types: ['postgres', 'redshift'], description: 'The database.' } },
  example: { name: 'wait_for_load', type: 'wait_for_sql', query: 'SELECT count(*) FROM loads WHERE day = {{ ds }}', timeout: '6h' },
});
