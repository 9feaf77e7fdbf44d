import Type from 'typebox';
import { choice, duration, map, text, texts } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';

const side = (title: string, description: string) =>
  map(
    title,
    description,
    { connection: 'postgres_default', table: 'orders' },
    {
      connection: text('Connection', 'The database.', 'postgres_default', { template: 'none' }),
      table: Type.Optional(text('Table', 'The table; either this or a query.', 'orders', { template: 'none' })),
      query: Type.Optional(text('Query', 'A SELECT, instead of a table.', 'SELECT id, total FROM orders', { template: 'sql' })),
      where: Type.Optional(text('Condition', 'Which rows are compared.', 'day = {{ ds }}', { template: 'sql' })),
    },
  );

/** Compares data in two places. */
export const reconcile = declareTask({
  type: 'reconcile',
  runtime: 'planned',
  description: 'Compares data in two places, and says exactly what differs.',
  summary: ({ source, target }) => `${source.table ?? 'query'} (${source.connection}) ↔ ${target.table ?? 'query'} (${target.connection})`,
  params: Type.Object({
    source: side('Source', 'What is right.'),
    target: side('Target', 'What is compared with it.'),
    key: texts('Key', 'The columns that tell rows apart.', ['id']),
    compare: Type.Optional(choice('Compare', 'Numbers of rows, sums by group, or each row. Default: row.', ['row', 'aggregate', 'count'])),
    columns: Type.Optional(texts('Columns', 'The columns that are compared. Default: all that both have.', ['total'])),
    aggregates: Type.Optional(texts('Aggregates', 'What is compared by group: sum(total), count(*).', ['sum(total)'])),
    tolerance: Type.Optional(
      text('Tolerance', 'The part that may differ; more than it fails.', '0.1%', {
        pattern: '^([0-9]+(\\.[0-9]+)?%|0(\\.[0-9]+)?)$',
        form: 'a part such as 0.1% or 0.001',
      }),
    ),
    as_of: Type.Optional(text('As of', 'Rows after this time are not compared.', '{{ data_interval_end }}')),
    late: Type.Optional(duration('Late', 'How late rows may come.', '5m')),
    report_to: Type.Optional(text('Report to', 'Where differences are written: s3://… or a table.', 's3://reports/orders')),
    on_mismatch: Type.Optional(
      choice('On mismatch', 'What more than the tolerance leads to. Default: fail.', ['fail', 'warn', 'approve', 'repair']),
    ),
  }),
  result: Type.Object({
    discrepancy: Type.Number(),
    compared: Type.Integer(),
    differing: Type.Integer(),
    missing: Type.Integer(),
    extra: Type.Integer(),
    report: Type.Union([Type.String(), Type.Null()]),
  }),
  connections: {},
  example: {
    name: 'compare_orders',
    type: 'reconcile',
    source: { connection: 'postgres_default', table: 'orders' },
    target: { connection: 'redshift_default', table: 'orders' },
    key: ['id'],
    tolerance: '0.1%',
  },
});
