import { formatS3Uri, parseS3Uri } from '../../lib/s3.ts';
import { MANIFEST_NAME } from '../../workflows/plan/datasets/dataset.ts';
import { connectionName } from '../support/dataset/parameters.ts';
import { readInput, readManifest, type StoredManifest } from '../support/dataset/read-manifest.ts';
import { openStorage, type Storage } from '../support/dataset/storage.ts';
import { tableFormat } from '../support/dataset/table-format.ts';
import type { TaskContext } from '../define-task.ts';
import { userFault } from '../run/errors.ts';
import { withDatabase } from '../support/sql/database.ts';
import { goesByKeys } from './load-methods.ts';
import { loadDataset } from './load-dataset.ts';
import { connections, type Params, type Result } from './parameters.ts';

/** Runs an `s3_to_redshift` task. */
export async function load(ctx: TaskContext<typeof connections>, task: Params): Promise<Result> {
  const { method = 'replace', upsert_keys: upsertKeys = [] } = task;
  if (goesByKeys(method) !== upsertKeys.length > 0) {
    throw userFault(
      'InvalidParameters',
      `method ${method} and upsert_keys [${upsertKeys.join(', ')}] do not go together: upsert and merge need keys, the others have none.`,
    );
  }
  const { storage: aws, warehouse } = ctx.connections;
  if (task.copy_options !== undefined && warehouse.type !== 'redshift') {
    throw userFault(
      'InvalidParameters',
      `copy_options are Redshift's, and connection '${connectionName(task, connections.warehouse)}' is PostgreSQL. Remove them.`,
    );
  }
  const storage = openStorage(aws, connectionName(task, connections.storage));
  try {
    const { uri: manifestUri, content: manifest, checksum } = await readData(ctx, task, storage);
    tableFormat(manifest);
    const table = { schema: task.schema ?? 'public', table: task.redshift_table };
    const options = {
      connection: warehouse,
      name: connectionName(task, connections.warehouse),
      task: `${ctx.dagId}.${ctx.task}`,
      doing: `load ${table.schema}.${table.table}`,
      signal: ctx.signal,
    };
    const loaded = await withDatabase(options, (database) =>
      loadDataset({
        ctx,
        database,
        warehouse,
        storage,
        aws,
        manifest,
        manifestUri,
        checksum,
        table,
        columns: task.columns,
        method,
        upsertKeys,
        minRows: task.min_rows,
        // Plans of earlier releases do not contain `allow_empty`: their runs keep the old behavior.
        allowEmpty: task.allow_empty !== false,
        onOverlap: task.on_overlap,
        intervalColumn: task.interval_column,
        copyOptions: task.copy_options ?? [],
      }),
    );
    return { table: `${table.schema}.${table.table}`, method, bytes: manifest.bytes, ...loaded };
  } finally {
    storage.client.destroy();
  }
}

/** The dataset at `s3_key`, else the one from the upstream task. */
async function readData(ctx: TaskContext<typeof connections>, task: Params, storage: Storage): Promise<StoredManifest> {
  if (task.s3_key !== undefined) {
    const uri = formatS3Uri({ bucket: task.s3_bucket, key: `${task.s3_key.replace(/\/+$/, '')}/${MANIFEST_NAME}` });
    return readManifest(storage, uri, ctx.signal);
  }
  if (ctx.input === undefined)
    throw userFault(
      'DatasetNotFound',
      'The task before has handed over no data: it was skipped, or it failed. Set s3_key to load a dataset that was written earlier.',
    );
  const { bucket } = parseS3Uri(ctx.input.manifest);
  if (bucket !== task.s3_bucket)
    throw userFault('DatasetNotFound', `The data of the task before is ${ctx.input.uri}, not in bucket '${task.s3_bucket}'.`);
  return readInput(storage, ctx.input, ctx.signal);
}
