import Type, { type Static } from 'typebox';
import { formatS3Uri, parseS3Uri } from '../lib/s3.ts';
import { MANIFEST_NAME } from '../workflows/plan/dataset.ts';
import { bucketName, connectionName, keyPrefix } from './dataset/parameters.ts';
import { readManifest } from './dataset/read-manifest.ts';
import { openStorage } from './dataset/storage.ts';
import { defineTask, type TaskContext } from './define-task.ts';
import { platformFault, userFault } from './errors.ts';
import { loadDataset } from './s3-to-redshift/load-dataset.ts';
import { LOAD_METHODS } from './s3-to-redshift/merge.ts';
import { withDatabase } from './sql/database.ts';

const columnName = Type.String({ minLength: 1, maxLength: 127 });

const params = Type.Object({
  s3_bucket: bucketName('The bucket that the data lies in.'),
  s3_key: keyPrefix('The prefix of a data set that was written earlier, instead of the data of the task before.'),
  redshift_table: Type.String({
    title: 'Table',
    description: 'The table to load. It must exist.',
    minLength: 1,
    maxLength: 127,
    examples: ['dim_product_categories'],
  }),
  schema: Type.Optional(
    Type.String({ title: 'Schema', description: 'The schema of the table.', minLength: 1, default: 'public', examples: ['sales'] }),
  ),
  columns: Type.Optional(
    Type.Array(columnName, {
      title: 'Columns',
      description: "The table's columns, in the order of the data's. Default: those of the same names.",
      minItems: 1,
      uniqueItems: true,
      examples: [['id', 'name']],
    }),
  ),
  method: Type.Optional(
    Type.Unsafe<(typeof LOAD_METHODS)[number]>({
      type: 'string',
      enum: LOAD_METHODS,
      title: 'Method',
      description:
        'replace: the table then holds this data and nothing else. append: the rows are added. upsert: rows with the same upsert_keys are updated, others added.',
      default: 'replace',
      examples: ['upsert'],
    }),
  ),
  upsert_keys: Type.Optional(
    Type.Array(columnName, {
      title: 'Upsert keys',
      description: 'The columns that tell which row is which; needed for upsert.',
      minItems: 1,
      uniqueItems: true,
      examples: [['category_id']],
    }),
  ),
  copy_options: Type.Optional(
    Type.Array(
      Type.String({
        pattern: '^(ACCEPTINVCHARS|BLANKSASNULL|TRIMBLANKS|TRUNCATECOLUMNS|ROUNDEC|EXPLICIT_IDS|(COMPUPDATE|STATUPDATE) (ON|OFF))$',
        form: 'one of ACCEPTINVCHARS, BLANKSASNULL, TRIMBLANKS, TRUNCATECOLUMNS, ROUNDEC, EXPLICIT_IDS, COMPUPDATE ON|OFF, STATUPDATE ON|OFF',
      }),
      {
        title: 'COPY options',
        description: "More options for Redshift's COPY; a PostgreSQL warehouse has none.",
        examples: [['TRUNCATECOLUMNS']],
      },
    ),
  ),
});

const connections = {
  warehouse: {
    key: 'redshift_conn_id',
    default: 'redshift_default',
    types: ['redshift', 'postgres'],
    description: 'The warehouse: Redshift, or PostgreSQL.',
  },
  storage: { key: 'aws_conn_id', default: 'aws_default', types: ['aws'], description: 'The S3 to read from.' },
} as const;

type Params = Static<typeof params>;

const result = Type.Object({
  table: Type.String({ description: 'schema.table' }),
  method: Type.String(),
  rows: Type.Integer({ description: 'Rows of the data set, all loaded.' }),
  bytes: Type.Integer({ description: 'As stored in S3.' }),
  inserted: Type.Optional(Type.Integer({ description: 'Rows that the table has got.' })),
  updated: Type.Optional(Type.Integer({ description: 'upsert: rows that were there and have new values.' })),
  deleted: Type.Optional(Type.Integer({ description: 'replace: rows that were there and are gone.' })),
  already_loaded: Type.Boolean({ description: 'An earlier attempt had loaded it; its answer was lost.' }),
});

/** Loads a data set from S3 into a table of Redshift or PostgreSQL: all of it, once, or nothing. */
export const s3ToRedshift = defineTask({
  type: 's3_to_redshift',
  description: 'Loads a data set from S3 into a table of Redshift, or of PostgreSQL: all of it, once, or nothing.',
  summary: ({ s3_bucket: bucket, s3_key: key, redshift_table: table, schema, method = 'replace' }) =>
    `s3://${bucket}/${key ?? '…'} → ${schema === undefined ? '' : `${schema}.`}${table} (${method})`,
  params,
  result,
  connections,
  data: { reads: { bucketKey: 's3_bucket' } },
  example: { name: 'load_categories', type: 's3_to_redshift', s3_bucket: 'transformed-data', redshift_table: 'dim_product_categories' },
  run: load,
});

async function load(ctx: TaskContext<typeof connections>, task: Params): Promise<Static<typeof result>> {
  const { method = 'replace', upsert_keys: upsertKeys = [] } = task;
  if ((method === 'upsert') !== upsertKeys.length > 0) {
    throw userFault(
      'InvalidParameters',
      `method ${method} and upsert_keys [${upsertKeys.join(', ')}] do not go together: upsert needs keys, the others have none.`,
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
    const manifestUri = manifestOf(ctx, task);
    const manifest = await readManifest(storage, manifestUri, ctx.signal);
    if (task.s3_key === undefined && ctx.input !== undefined && ctx.input.rows !== manifest.rows) {
      throw platformFault(
        'DatasetChanged',
        `The task before has handed over ${ctx.input.rows} rows, and ${manifestUri} now says ${manifest.rows}: another run has written there since. Nothing was loaded.`,
      );
    }
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
        table,
        columns: task.columns,
        method,
        upsertKeys,
        copyOptions: task.copy_options ?? [],
      }),
    );
    return { table: `${table.schema}.${table.table}`, method, bytes: manifest.bytes, ...loaded };
  } finally {
    storage.client.destroy();
  }
}

function manifestOf(ctx: TaskContext<typeof connections>, task: Params): string {
  if (task.s3_key !== undefined) return formatS3Uri({ bucket: task.s3_bucket, key: `${task.s3_key.replace(/\/+$/, '')}/${MANIFEST_NAME}` });
  if (ctx.input === undefined)
    throw userFault(
      'DatasetNotFound',
      'The task before has handed over no data: it was skipped, or it failed. Give s3_key to load a data set that was written earlier.',
    );
  const { bucket } = parseS3Uri(ctx.input.manifest);
  if (bucket !== task.s3_bucket)
    throw userFault('DatasetNotFound', `The data of the task before is ${ctx.input.uri}, not in bucket '${task.s3_bucket}'.`);
  return ctx.input.manifest;
}
