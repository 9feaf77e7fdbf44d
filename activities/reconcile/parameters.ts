import Type, { type Static } from 'typebox';
import { choice, count, flag, map, sqlFile, TABLE_NAME, text, texts } from '../../lib/schema-fields.ts';
import { connectionField } from '../../connections/connection-field.ts';

const side = (title: string, description: string) =>
  map(
    title,
    description,
    { conn_id: 'postgres_default', table: 'orders' },
    {
      conn_id: connectionField('The database, or the S3 storage of a dataset.', 'postgres_default', [], 'connection'),
      table: Type.Optional(text('Table', 'The table; alternatively, a query or a dataset.', 'orders', { template: 'none', ...TABLE_NAME })),
      query: Type.Optional(
        text('Query', 'A SELECT, instead of a table.', 'SELECT id, total FROM orders', { template: 'sql', mysql: true }),
      ),
      sql_file: sqlFile('query'),
      dataset: Type.Optional(
        text(
          'Dataset',
          'The prefix of a dataset in S3 that a task has written (csv or parquet), instead of a table.',
          's3://raw-data/orders',
          {
            pattern: '^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.|\\{\\{',
            format: 'path',
            form: 's3://bucket/prefix, or the uri in the output of a task: {{ outputs.extract_orders.uri }}',
          },
        ),
      ),
      where: Type.Optional(text('Condition', 'Which rows are compared.', 'day = {{ ds }}', { template: 'sql', mysql: true })),
    },
  );

const normalization = map(
  'What counts as the same',
  'Differences to ignore, by column.',
  { scale: 2 },
  {
    scale: Type.Optional(count('Digits', 'Round numbers to this many decimal places.', 2, 0)),
    trim: Type.Optional(flag('Trim', 'Blanks at both ends do not count.', true)),
    empty_is_null: Type.Optional(flag('Empty is NULL', 'The empty text counts as NULL.', true)),
    ignore_case: Type.Optional(flag('Ignore case', 'Upper and lower case count as the same.', true)),
    unicode: Type.Optional(choice('Unicode', 'Letters and their accents are put together before they are compared.', ['nfc'])),
    boolean: Type.Optional(flag('Boolean', '0 and 1 count as false and true.', true)),
    timezone: Type.Optional(
      text('Time zone', 'Where a time without a zone was written down.', 'Europe/Berlin', {
        template: 'none',
        pattern: '^[A-Za-z][A-Za-z0-9_+/-]*$',
        form: 'an IANA name such as Europe/Berlin',
      }),
    ),
    precision: Type.Optional(choice('Precision', 'Times are cut down to it.', ['second', 'millisecond', 'minute', 'hour', 'day'])),
  },
);

/** The keys of a `reconcile` task. */
export const params = Type.Object({
  source: side('Source', 'What is right: a connection, one of table, query and dataset, and perhaps where.'),
  target: side('Target', 'What is compared with it, in the same words.'),
  key: Type.Optional(
    texts('Key', 'The columns that identify a row; with compare: aggregate, the columns to group by. Not for compare: count.', ['id']),
  ),
  compare: Type.Optional(choice('Compare', 'Each row, values by group, or numbers of rows. Default: row.', ['row', 'aggregate', 'count'])),
  columns: Type.Optional(texts('Columns', 'The columns that are compared. Default: all that both have.', ['total'])),
  aggregates: Type.Optional(
    Type.Array(
      Type.String({
        pattern: '^(count\\(\\*\\)|(count|sum|min|max|distinct)\\(.+\\))$',
        form: 'count(*), count(column), sum(column), min(column), max(column) or distinct(column)',
      }),
      {
        minItems: 1,
        title: 'Aggregates',
        description: 'What is compared by group, with compare: aggregate.',
        examples: [['count(*)', 'sum(total)']],
      },
    ),
  ),
  normalize: Type.Optional(
    Type.Record(Type.String(), normalization, {
      title: 'Normalize',
      description: 'By column: what counts as the same. Without it, values are the same only when they are equal.',
      examples: [{ total: { scale: 2 }, name: { trim: true } }],
    }),
  ),
  tolerance: Type.Optional(
    text('Tolerance', 'The part that may differ; more than it is a mismatch. Default: 0.', '0.1%', {
      pattern: '^([0-9]+(\\.[0-9]+)?%|0(\\.[0-9]+)?)$',
      form: 'a part such as 0.1% or 0.001',
    }),
  ),
  as_of: Type.Optional(
    map(
      'As of',
      'Rows that changed at this time or later, on either side, are not compared.',
      { column: 'updated_at' },
      {
        column: text('Column', 'Says when a row last changed; both sides have it.', 'updated_at', { template: 'none' }),
        time: Type.Optional(text('Time', "Default: the end of the run's data interval.", '{{ data_interval_end }}')),
      },
    ),
  ),
  report_to: Type.Optional(
    text('Report to', 'A prefix in S3: what differs is written there as CSV.', 's3://reports/orders', {
      pattern: '^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$|\\{\\{',
      form: 's3://bucket/prefix',
      format: 'path',
    }),
  ),
  // Not one of the task's connections: a task without a report needs no S3.
  aws_conn_id: Type.Optional(connectionField('The S3 that reports are written to. Default: aws_default.', 'aws_default', ['aws'])),
  on_mismatch: Type.Optional(
    choice(
      'On mismatch',
      'What more than the tolerance leads to. Default: fail. `repair` looks keys up beyond `where`, too: a row that has moved out of it on one side is updated where it is, not inserted or deleted.',
      ['fail', 'warn', 'approve', 'repair'],
    ),
  ),
});

export type Params = Static<typeof params>;
