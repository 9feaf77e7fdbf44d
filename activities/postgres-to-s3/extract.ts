import { createHash } from 'node:crypto';
import type { PostgresConnection, RedshiftConnection } from '../../lib/databases/postgres.ts';
import { formatS3Uri, parseS3Uri } from '../../lib/s3.ts';
import { withinTime } from '../../lib/time-limit.ts';
import type { Column, DatasetFile, DatasetReference, DatasetSource } from '../../workflows/plan/datasets/dataset.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { checkRowCount } from '../support/dataset/min-rows.ts';
import { connectionName, everySecond } from '../support/dataset/parameters.ts';
import type { DatasetOutput } from '../support/dataset/dataset-output.ts';
import { openDatasetOutput } from '../support/dataset/open-dataset-output.ts';
import { openStorage, type Storage } from '../support/dataset/storage.ts';
import type { TaskContext } from '../define-task.ts';
import { userFault } from '../run/errors.ts';
import { fixFormats, withDatabase } from '../support/sql/database.ts';
import type { Database } from '../support/sql/opened-database.ts';
import { quoteIdentifier } from '../support/sql/identifiers.ts';
import { buildSelect } from '../support/sql/select-statement.ts';
import { copyToParts } from './copy-to-parts.ts';
import { OwnFiles } from './own-files.ts';
import { connections, type Params } from './parameters.ts';

/** How long a failed attempt may clean up after its own signal was aborted. */
const TIDY_UP_MS = 30_000;

/** Runs a `postgres_to_s3` task. */
export async function extract(ctx: TaskContext<typeof connections>, task: Params): Promise<DatasetReference> {
  if (task.file_format === 'parquet')
    throw userFault('InvalidParameters', "file_format 'parquet' cannot be written yet: use csv or jsonl.");
  const storage = openStorage(ctx.connections.storage, connectionName(task, connections.storage));
  const output = outputOf(ctx, task, storage);
  try {
    const earlier = await output.begin(ctx.signal);
    if (earlier) {
      ctx.log.info('An earlier attempt has published the data', { manifest: earlier.manifest });
      return earlier;
    }
    return await withDatabase(
      {
        connection: ctx.connections.source,
        name: connectionName(task, connections.source),
        task: `${ctx.dagId}.${ctx.task}`,
        doing: `read ${task.source_table ?? 'the query'}`,
        signal: ctx.signal,
      },
      async (database) => {
        await database.client.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
        await fixFormats(database.client);
        return publish(ctx, task, database, storage, output);
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
  storage: Storage,
  output: DatasetOutput,
): Promise<DatasetReference> {
  const { file_format: format = 'csv', compression = 'gzip', max_rows_per_file: maxRowsPerFile = 1_000_000 } = task;
  if (format === 'parquet') throw userFault('InvalidParameters', 'parquet cannot be written yet.');
  const { sql, columns, incremental } = await buildSelect(database, task, ctx.interval);
  const own = new OwnFiles(storage, output.uri, output.mark);
  await own.abortUploads(ctx.signal);
  const progress = everySecond<JsonObject>((sums) => ctx.progress(sums));
  let files: DatasetFile[];
  try {
    files = await copyToParts({
      client: database.client,
      statement: format === 'csv' ? `COPY (${sql}\n) TO STDOUT (FORMAT csv)` : copyJsonLines(sql, columns),
      output: own,
      format,
      compression,
      maxRowsPerFile,
      progress,
    });
    ctx.signal.throwIfAborted();
    const rows = files.reduce((sum, file) => sum + file.rows, 0);
    checkRowCount(rows, task.min_rows, task.source_table === undefined ? 'The query' : `'${task.source_table}'`);
  } catch (error) {
    if (!ctx.givenUp()) await discard(own, output, ctx.log);
    throw error;
  }
  // From here on a manifest may refer to the files, even if writing it seems to fail.
  const source = sourceOf(ctx.connections.source, task);
  const reference = await output.publish(
    { format, compression, schema: columns, ...(incremental && { incremental }), source, files },
    ctx.signal,
  );
  if (!ctx.run) await own.clear(new Set(files.map((file) => parseS3Uri(file.url).key)), ctx.signal);
  ctx.progress({ rows: reference.rows, bytes: reference.bytes, files: files.length });
  return reference;
}

/** The origin of the rows, for the manifest. */
function sourceOf(
  { host, port, database }: PostgresConnection | RedshiftConnection,
  { source_table: table, query, where }: Params,
): DatasetSource {
  return {
    database: createHash('sha256')
      .update(JSON.stringify([host, port, database]))
      .digest('hex')
      .slice(0, 16),
    ...(table !== undefined && { table }),
    ...(query !== undefined && { query }),
    ...(where !== undefined && { where }),
  };
}

/** Deletes the files of a failed attempt. */
async function discard(own: OwnFiles, output: DatasetOutput, log: TaskContext['log']): Promise<void> {
  try {
    await withinTime(TIDY_UP_MS, undefined, (signal) => own.clear(new Set(), signal));
  } catch (cause) {
    log.warn('Could not delete what this attempt has written; the next attempt does.', { uri: output.uri, cause });
  }
}

/**
 * One JSON object per line. JSON contains no control characters, so CSV with two of them as quote and delimiter leaves it unchanged;
 * COPY's text format would double the backslashes. Only a column of type json may contain line breaks, between its tokens.
 */
function copyJsonLines(sql: string, columns: readonly Column[]): string {
  const list = columns.map(({ name, type }) => {
    const column = quoteIdentifier(name);
    return type === 'json' ? `translate(${column}::text, E'\\n\\r', '  ')::json AS ${column}` : column;
  });
  return `COPY (SELECT row_to_json(line) FROM (SELECT ${list.join(', ')} FROM (${sql}\n) AS selected) AS line)
    TO STDOUT (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')`;
}

function outputOf(ctx: TaskContext<typeof connections>, task: Params, storage: Storage): DatasetOutput {
  const folder =
    task.s3_key === undefined ? undefined : formatS3Uri({ bucket: task.s3_bucket, key: `${task.s3_key.replace(/\/+$/, '')}/` });
  const output = openDatasetOutput(ctx, storage, folder);
  if (output) return output;
  throw userFault('InvalidParameters', 'The plan names no place to write to: give s3_key, or compile the pipeline again.');
}
