import Type from 'typebox';
import { duration, sqlFile, text } from '../lib/schema-fields.ts';
import { defineTrigger } from './define-trigger.ts';
import { StartMode } from './events/event-mode.ts';

/** New rows of a table. */
export const sql = defineTrigger({
  type: 'sql',
  description: 'Starts runs from rows past a cursor.',
  connection: { default: 'postgres_default', types: ['postgres'] },
  params: Type.Object({
    query: text('Query', 'One SELECT whose rows are the events.', 'SELECT id, total FROM orders'),
    sql_file: sqlFile('query'),
    cursor: text(
      'Cursor',
      'A column of the rows that never gets smaller: rows past the last one seen are new, and others of its value.',
      'id',
    ),
    key: Type.Optional(
      Type.Union([text('Key', 'The column that identifies a row.', 'id'), Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })], {
        title: 'Key',
        description:
          'The column, or columns, that identify a row among those of one cursor value. Needed where rows change or go while others of the same value come.',
        examples: ['id', ['order_id', 'line']],
      }),
    ),
    poke_interval: Type.Optional(duration('Interval', 'How often it looks. Default: 1m.', '1m')),
    mode: Type.Optional(StartMode),
  }),
  event: { meta: { cursor: 'dyn' } },
  sensor: {
    run: async (context) => (await import('./sql/watch-rows.ts')).watchRows(context),
    reset: async (identity, to) => (await import('./sql/watch-rows.ts')).resetRows(identity, to),
  },
  example: { name: 'new_orders', type: 'sql', query: 'SELECT id, total FROM orders', cursor: 'id' },
});
