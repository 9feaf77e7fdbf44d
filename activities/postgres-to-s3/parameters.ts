import Type, { type Static } from 'typebox';
import { sqlFile, TABLE_NAME } from '../../lib/schema-fields.ts';
import { minRows } from '../support/dataset/min-rows.ts';
import { bucketName, keyPrefix } from '../support/dataset/parameters.ts';

/** The keys of a `postgres_to_s3` task. */
export const params = Type.Object({
  source_table: Type.Optional(
    Type.String({
      title: 'Source table',
      description: 'The table or view to read, with its schema where it is not on the search path. Names are case-sensitive.',
      minLength: 1,
      ...TABLE_NAME,
      examples: ['product_categories', 'sales.orders'],
    }),
  ),
  query: Type.Optional(
    Type.String({
      title: 'Query',
      description: 'One SELECT, instead of source_table. It runs read only.',
      minLength: 1,
      template: 'sql',
      examples: ['SELECT id, total FROM orders WHERE total > 0'],
    }),
  ),
  sql_file: sqlFile('query'),
  columns: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      title: 'Columns',
      description: 'The columns to read, in the order to write them. Default: all.',
      minItems: 1,
      uniqueItems: true,
      examples: [['id', 'name']],
    }),
  ),
  where: Type.Optional(
    Type.String({
      title: 'Condition',
      description: 'An SQL condition that chooses the rows.',
      minLength: 1,
      template: 'sql',
      examples: ["updated_at >= '{{ data_interval_start }}'"],
    }),
  ),
  incremental: Type.Optional(
    Type.Object(
      {
        column: Type.String({ title: 'Column', description: 'A column of dates or times.', minLength: 1, examples: ['updated_at'] }),
        lag: Type.Optional(
          Type.String({
            title: 'Lag',
            description: 'How much earlier than the interval to begin, for rows that arrive late.',
            examples: ['2h', '1d'],
          }),
        ),
      },
      {
        title: 'Incremental',
        description: "Only rows whose column lies in the run's data interval (UTC).",
        additionalProperties: false,
        examples: [{ column: 'updated_at', lag: '1h' }],
      },
    ),
  ),
  s3_bucket: bucketName('The bucket to write to.'),
  s3_key: keyPrefix(
    'The prefix to write under: each run writes to a separate folder, and manifest.json is a copy of the manifest of the newest run, for external readers. Default: <dag_id>/<task>/<interval start>/.',
  ),
  file_format: Type.Optional(
    Type.Union([Type.Literal('csv'), Type.Literal('jsonl'), Type.Literal('parquet')], {
      title: 'File format',
      description:
        'csv (no header; NULL is an empty field, the empty string is "") or jsonl (the JSON value null of a json column becomes NULL). parquet: not yet.',
      default: 'csv',
      examples: ['jsonl'],
    }),
  ),
  compression: Type.Optional(
    Type.Union([Type.Literal('gzip'), Type.Literal('none')], {
      title: 'Compression',
      description: 'How files are stored.',
      default: 'gzip',
      examples: ['none'],
    }),
  ),
  max_rows_per_file: Type.Optional(
    Type.Integer({
      title: 'Rows a file',
      description: 'Maximum number of rows per file.',
      minimum: 1,
      maximum: 1_000_000_000,
      default: 1_000_000,
      examples: [250_000],
    }),
  ),
  min_rows: minRows,
});

/** The connections that it reads from and writes to. */
export const connections = {
  source: { key: 'postgres_conn_id', default: 'postgres_default', types: ['postgres'], description: 'The PostgreSQL to read.' },
  storage: { key: 'aws_conn_id', default: 'aws_default', types: ['aws'], description: 'The S3 to write to.' },
} as const;

export type Params = Static<typeof params>;
