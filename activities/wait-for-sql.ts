import Type from 'typebox';
import { sqlFile, text } from '../lib/schema-fields.ts';
import { connectionName } from './support/dataset/parameters.ts';
import { defineTask } from './define-task.ts';
import { notYet, orNotYet } from './run/errors.ts';
import { DATABASE, sqlAt, withDatabase } from './support/sql/database.ts';
import { rowOf } from './support/sql/rows.ts';
import { openSelect } from './support/sql/select-statement.ts';
import { WAIT_DEFAULTS, WAIT_KEYS } from './run/wait-keys.ts';

/** Things that may be created while a task waits: a table or its schema, a column, the connection's database. */
const ABSENT = ['TableNotFound', 'ColumnNotFound', 'ConnectionNotDefined'] as const;

/** Waits for a row. */
export const waitForSql = defineTask({
  type: 'wait_for_sql',
  description: 'Waits until a query gives a row whose first value is true or not 0; waiting holds no worker.',
  summary: ({ sql }) => sql.trim().split('\n', 1)[0]?.slice(0, 80) ?? '',
  params: Type.Object({
    sql: text('SQL', 'One SELECT. It runs read only.', 'SELECT count(*) FROM loads WHERE day = {{ ds }}', {
      template: 'sql',
      formerly: 'query',
    }),
    sql_file: sqlFile('sql'),
    ...WAIT_KEYS,
  }),
  result: Type.Object({ first: Type.Record(Type.String(), Type.Unknown()) }),
  connections: { database: DATABASE },
  waits: true,
  defaults: WAIT_DEFAULTS,
  example: { name: 'wait_for_load', type: 'wait_for_sql', sql: 'SELECT count(*) FROM loads WHERE day = {{ ds }}', timeout: '6h' },
  run: ({ connections, task, signal }, params) =>
    orNotYet(ABSENT, () =>
      withDatabase(
        { connection: connections.database, name: connectionName(params, DATABASE), task, doing: 'look', signal },
        async (database) => {
          const { client } = database;
          await client.query('BEGIN READ ONLY');
          await openSelect(database, 'sluice_wait', sqlAt(database, params.sql.replace(/[\s;]+$/, '')), 'sql');
          const { rows } = await client.query<Record<string, unknown>>('FETCH FORWARD 1 FROM sluice_wait');
          const [row] = rows;
          const [first] = Object.values(row ?? {});
          if (!row || first === null || first === false || first === '' || Number(first) === 0) {
            throw notYet(row ? `The query gives ${JSON.stringify(first)}.` : 'The query gives no row.');
          }
          return { first: rowOf(row) };
        },
      ),
    ),
});
