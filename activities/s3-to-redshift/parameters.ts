import Type, { type Static } from 'typebox';
import { minRowsOrPart } from '../support/dataset/min-rows.ts';
import { bucketName, keyPrefix } from '../support/dataset/parameters.ts';
import type { ParamMistake } from '../define-task.ts';
import { PLAIN_NAME } from '../../lib/schema-fields.ts';
import { LOAD_METHODS, replacesAll } from './load-methods.ts';

const columnName = Type.String({ minLength: 1, maxLength: 127 });

/** The keys of an `s3_to_redshift` task. */
export const params = Type.Object({
  s3_bucket: bucketName('The bucket that the data lies in.'),
  s3_key: keyPrefix('The prefix of a dataset that was written earlier, instead of the data of the upstream task.'),
  redshift_table: Type.String({
    title: 'Table',
    description: 'The table to load. It must exist.',
    minLength: 1,
    maxLength: 127,
    ...PLAIN_NAME,
    examples: ['dim_product_categories'],
  }),
  schema: Type.Optional(
    Type.String({
      title: 'Schema',
      description: 'The schema of the table.',
      minLength: 1,
      ...PLAIN_NAME,
      default: 'public',
      examples: ['sales'],
    }),
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
        'replace: the table then holds this data and nothing else; its rows are deleted and loaded again. append: the rows are added. upsert: rows with the same upsert_keys are updated, others added. merge: the table then holds this data and nothing else, as with replace, but only rows whose upsert_keys are gone from the data are deleted, so that other tables can refer to the rest.',
      default: 'replace',
      examples: ['upsert'],
    }),
  ),
  upsert_keys: Type.Optional(
    Type.Array(columnName, {
      title: 'Upsert keys',
      description: 'The columns that identify a row; required for upsert and merge.',
      minItems: 1,
      uniqueItems: true,
      examples: [['category_id']],
    }),
  ),
  allow_empty: Type.Optional(
    Type.Boolean({
      title: 'Allow empty',
      description:
        'method replace and merge, and on_overlap: replace: whether data without rows takes the place of rows. Otherwise the task fails where there are some: an empty source is mostly a fault.',
      default: false,
      examples: [true],
    }),
  ),
  min_rows: minRowsOrPart,
  on_overlap: Type.Optional(
    Type.Unsafe<'replace' | 'append'>({
      type: 'string',
      enum: ['replace', 'append'],
      title: 'On overlap',
      description:
        'method append only: what happens when another run has appended part of the same time. replace: the rows of that time are deleted first. append: the rows are added anyway. Default: the task fails and reports the overlap.',
      examples: ['replace'],
    }),
  ),
  interval_column: Type.Optional(
    Type.String({
      title: 'Interval column',
      description:
        'on_overlap: replace only: the column of the table that says to which time a row belongs. Default: the column of `incremental` in the postgres_to_s3 task whose data is loaded.',
      minLength: 1,
      maxLength: 127,
      examples: ['created_at'],
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

/** The connections that it loads into and reads from. */
export const connections = {
  warehouse: {
    key: 'redshift_conn_id',
    default: 'redshift_default',
    types: ['redshift', 'postgres'],
    description: 'The warehouse: Redshift, or PostgreSQL.',
  },
  storage: { key: 'aws_conn_id', default: 'aws_default', types: ['aws'], description: 'The S3 to read from.' },
} as const;

export type Params = Static<typeof params>;

/** Combinations of keys that are valid one by one but not together. */
export function loadMistakes(params: Params): readonly ParamMistake[] {
  const { method = 'replace', on_overlap: onOverlap, interval_column: column, allow_empty: allowEmpty, upsert_keys: keys } = params;
  const matchesRows = method === 'upsert' || method === 'merge';
  const [, schema, name] = /^([^.{}]+)\.([^.{}]+)$/.exec(params.redshift_table) ?? [];
  return [
    ...(schema !== undefined && name !== undefined && params.schema === undefined
      ? [
          {
            at: ['redshift_table'],
            message: `'${params.redshift_table}' has a dot, and \`redshift_table\` is the name of a table without its schema.`,
            hint: `write schema: ${schema}, and redshift_table: ${name}`,
          },
        ]
      : []),
    ...(matchesRows && keys === undefined
      ? [
          {
            at: ['method'],
            message: `Method ${method} needs \`upsert_keys\`.`,
            hint: 'add the columns that identify a row: upsert_keys: [id]',
          },
        ]
      : []),
    ...(!matchesRows && keys !== undefined
      ? [
          {
            at: ['upsert_keys'],
            message: `\`upsert_keys\` is for methods upsert and merge, and this task's method is ${method}.`,
            hint: 'remove it, or write method: upsert',
          },
        ]
      : []),
    ...(allowEmpty === true && !replacesAll(method) && onOverlap !== 'replace'
      ? [
          {
            at: ['allow_empty'],
            message: `\`allow_empty\` is for methods replace and merge and for \`on_overlap: replace\`, and this task's method is ${method}.`,
            hint: 'remove it',
          },
        ]
      : []),
    ...(onOverlap !== undefined && method !== 'append'
      ? [{ at: ['on_overlap'], message: `\`on_overlap\` is for method append, and this task's method is ${method}.`, hint: 'remove it' }]
      : []),
    ...(column !== undefined && onOverlap !== 'replace'
      ? [{ at: ['interval_column'], message: '`interval_column` needs `on_overlap: replace`.', hint: 'add that, or remove it' }]
      : []),
  ];
}

/** The output of the task. */
export const result = Type.Object({
  table: Type.String({ description: 'schema.table' }),
  method: Type.String(),
  rows: Type.Integer({ description: 'Rows of the dataset, all loaded.' }),
  bytes: Type.Integer({ description: 'As stored in S3.' }),
  inserted: Type.Optional(Type.Integer({ description: 'Rows that the table has got.' })),
  updated: Type.Optional(Type.Integer({ description: 'upsert, merge: rows that were there and have new values.' })),
  deleted: Type.Optional(Type.Integer({ description: 'replace, merge: rows that were there and are gone.' })),
  already_loaded: Type.Boolean({ description: 'An earlier attempt had loaded it; its answer was lost.' }),
});
export type Result = Static<typeof result>;
