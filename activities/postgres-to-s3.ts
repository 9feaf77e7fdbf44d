import Type, { type Static } from 'typebox';
import { formatS3Uri, parseS3Uri } from '../lib/s3.ts';
import { type Column, type DatasetReference, MANIFEST_NAME } from '../workflows/plan/dataset.ts';
import type { JsonObject } from '../workflows/plan/json.ts';
import { bucketName, connectionName, DatasetReferenceSchema, everySecond, keyPrefix } from './dataset/parameters.ts';
import { openStorage } from './dataset/storage.ts';
import { writeManifest } from './dataset/write-manifest.ts';
import { defineTask, type TaskContext } from './define-task.ts';
import { userFault } from './errors.ts';
import { beginOutput, clearOutput, type OutputPrefix } from './postgres-to-s3/clear-prefix.ts';
import { copyToParts } from './postgres-to-s3/copy-to-parts.ts';
import { buildSelect } from './postgres-to-s3/select-statement.ts';
import { type Database, fixFormats, withDatabase } from './sql/database.ts';
import { quoteIdentifier } from './sql/identifiers.ts';

const params = Type.Object({
  source_table: Type.Optional(
    Type.String({
      title: 'Source table',
      description: 'The table or view to read, with its schema where it is not on the search path. Upper and lower case are told apart.',
      minLength: 1,
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
  s3_key: keyPrefix('The prefix to write under. Default: <dag_id>/<task>/<interval start>/, which no other run writes to.'),
  file_format: Type.Optional(
    Type.Union([Type.Literal('csv'), Type.Literal('jsonl'), Type.Literal('parquet')], {
      title: 'File format',
      description: 'csv (no header; NULL is an empty field, the empty string is "") or jsonl. parquet: not yet.',
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
      description: 'A new file is begun after so many rows.',
      minimum: 1,
      maximum: 1_000_000_000,
      default: 1_000_000,
      examples: [250_000],
    }),
  ),
});

const connections = {
  source: { key: 'postgres_conn_id', default: 'postgres_default', types: ['postgres'], description: 'The PostgreSQL to read.' },
  storage: { key: 'aws_conn_id', default: 'aws_default', types: ['aws'], description: 'The S3 to write to.' },
} as const;

type Params = Static<typeof params>;

/** How long a failed attempt may take to tidy up after itself, when its own signal is aborted. */
const TIDY_UP_MS = 30_000;

/** Copies a table, or a query's rows, from one snapshot of PostgreSQL to files in S3. */
export const postgresToS3 = defineTask({
  type: 'postgres_to_s3',
  description: "Copies a table, or a query's rows, from PostgreSQL to compressed files in S3.",
  summary: ({ source_table: table, s3_bucket: bucket, s3_key: key }) => `${table ?? 'query'} → s3://${bucket}/${key ?? '…'}`,
  params,
  exactlyOneOf: [['source_table', 'query']],
  planned: { file_format: ['parquet'] },
  result: DatasetReferenceSchema,
  connections,
  data: { writes: { bucketKey: 's3_bucket' } },
  example: { name: 'extract_categories', type: 'postgres_to_s3', source_table: 'product_categories', s3_bucket: 'raw-data' },
  run: extract,
});

async function extract(ctx: TaskContext<typeof connections>, task: Params): Promise<DatasetReference> {
  if (task.file_format === 'parquet')
    throw userFault('InvalidParameters', "file_format 'parquet' cannot be written yet: use csv or jsonl.");
  const storage = openStorage(ctx.connections.storage, connectionName(task, connections.storage));
  const output: OutputPrefix = { storage, prefix: prefixOf(ctx, task), exclusive: task.s3_key === undefined };
  try {
    return await withDatabase(
      {
        connection: ctx.connections.source,
        name: connectionName(task, connections.source),
        task: `${ctx.dagId}.${ctx.task}`,
        doing: `read ${task.source_table ?? 'the query'}`,
        signal: ctx.signal,
      },
      async (database) => {
        await fixFormats(database.client);
        await database.client.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
        return publish(ctx, task, database, output);
      },
    );
  } finally {
    storage.client.destroy();
  }
}

async function publish(
  ctx: TaskContext<typeof connections>,
  task: Params,
  database: Database,
  output: OutputPrefix,
): Promise<DatasetReference> {
  const { storage, prefix } = output;
  const { file_format: format = 'csv', compression = 'gzip', max_rows_per_file: maxRowsPerFile = 1_000_000 } = task;
  if (format === 'parquet') throw userFault('InvalidParameters', 'parquet cannot be written yet.');
  const { sql, columns } = await buildSelect(database, task, ctx.interval);
  await beginOutput(output, ctx.signal);
  const progress = everySecond<JsonObject>((sums) => ctx.progress(sums));
  try {
    const files = await copyToParts({
      client: database.client,
      statement: format === 'csv' ? `COPY (${sql}\n) TO STDOUT (FORMAT csv)` : copyJsonLines(sql, columns),
      storage,
      prefix,
      format,
      compression,
      maxRowsPerFile,
      progress,
    });
    ctx.signal.throwIfAborted();
    const reference = await writeManifest(storage, formatS3Uri(prefix), { format, compression, schema: columns, files }, ctx.signal);
    const keep = new Set([...files.map((file) => parseS3Uri(file.url).key), prefix.key + MANIFEST_NAME]);
    await clearOutput(output, keep, ctx.signal);
    ctx.progress({ rows: reference.rows, bytes: reference.bytes, files: files.length });
    return reference;
  } catch (error) {
    if (ctx.givenUp()) throw error;
    await clearOutput(output, new Set(), AbortSignal.timeout(TIDY_UP_MS)).catch((cause: unknown) => {
      ctx.log.warn('Could not delete what this attempt has written; the next attempt does.', { prefix: formatS3Uri(prefix), cause });
    });
    throw error;
  }
}

/**
 * One JSON object a line. JSON holds no control characters, so CSV with two of them for quote and delimiter adds nothing to it; COPY's
 * text format would double the backslashes. Only a column of type json may hold line breaks, between its tokens.
 */
function copyJsonLines(sql: string, columns: readonly Column[]): string {
  const list = columns.map(({ name, type }) => {
    const column = quoteIdentifier(name);
    return type === 'json' ? `translate(${column}::text, E'\\n\\r', '  ')::json AS ${column}` : column;
  });
  return `COPY (SELECT row_to_json(line) FROM (SELECT ${list.join(', ')} FROM (${sql}\n) AS selected) AS line)
    TO STDOUT (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')`;
}

function prefixOf(ctx: TaskContext<typeof connections>, task: Params): { bucket: string; key: string } {
  if (task.s3_key !== undefined) return { bucket: task.s3_bucket, key: `${task.s3_key.replace(/\/+$/, '')}/` };
  if (ctx.output === undefined)
    throw userFault('InvalidParameters', 'The plan names no place to write to: give s3_key, or compile the pipeline again.');
  return parseS3Uri(ctx.output);
}
