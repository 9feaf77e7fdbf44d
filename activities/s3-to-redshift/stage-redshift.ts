import type { AwsConnection } from '../../lib/s3.ts';
import type { RedshiftConnection } from '../../lib/databases/postgres.ts';
import { platformFault, userFault } from '../run/errors.ts';
import { tableFormat } from '../support/dataset/table-format.ts';
import { databaseFailure, describe, isServerError, type ServerError } from '../support/sql/database-failure.ts';
import { sqlAt } from '../support/sql/database.ts';
import { quoteList } from '../support/sql/find-table.ts';
import { quoteLiteral } from '../support/sql/identifiers.ts';
import type { Load } from './load-order.ts';

/**
 * Fills the staging table of a Redshift warehouse: Redshift itself reads the objects in the manifest, and fails if one is missing.
 *
 * NULL and '' stay different in CSV, according to Redshift's manual (COPY, data conversion parameters): `NULL AS ''` loads an empty field
 * as NULL. An empty field is two delimiters with nothing between them; `""` has its quotes between them. EMPTYASNULL would do the same, but
 * would keep the default `NULL AS '\N'`, which turns the text `\N` into NULL. JSON lines distinguish the two anyway.
 * @param staging as SQL
 * @throws ApplicationFailure
 */
export async function stageFromRedshift(
  load: Load,
  warehouse: RedshiftConnection,
  staging: string,
  columns: readonly string[],
): Promise<void> {
  const { database, manifest, manifestUri, aws, copyOptions } = load;
  const { client } = database;
  // Redshift refuses a manifest without entries.
  if (manifest.entries.length === 0) return;
  refuseOtherNames(load, columns);
  const format = { csv: "FORMAT AS CSV NULL AS ''", jsonl: "FORMAT AS JSON 'auto'", parquet: 'FORMAT AS PARQUET' }[tableFormat(manifest)];
  const options = [
    authorization(warehouse, aws),
    `REGION ${quoteLiteral(aws.region_name)}`,
    format,
    manifest.compression === 'gzip' && manifest.format !== 'parquet' ? 'GZIP' : '',
    manifest.format === 'parquet' ? '' : "TIMEFORMAT 'auto' DATEFORMAT 'auto'",
    ...copyOptions,
    'MANIFEST',
  ].filter((option) => option !== '');
  try {
    await client.query(sqlAt(database, `COPY ${staging} (${quoteList(columns)}) FROM ${quoteLiteral(manifestUri)} ${options.join(' ')}`));
  } catch (error) {
    if (!isServerError(error)) throw error;
    throw await copyFailure(load, withoutSecret(error, aws.secret_access_key));
  }
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) AS count FROM ${staging}`);
  const staged = Number(rows[0]?.count);
  if (staged !== manifest.rows) {
    throw platformFault(
      'DatasetChanged',
      `Redshift has read ${staged} rows of ${manifestUri}, which says ${manifest.rows}. Nothing was loaded.`,
    );
  }
}

/** `JSON 'auto'` matches names and skips unknown ones: data under other names would load as NULL. */
function refuseOtherNames({ manifest }: Load, columns: readonly string[]): void {
  if (manifest.format !== 'jsonl') return;
  const other = manifest.schema.find(({ name }, index) => name !== columns[index]);
  if (other === undefined) return;
  throw userFault(
    'InvalidParameters',
    `'columns' cannot rename the fields of jsonl for Redshift: '${other.name}' has another name in the table. Write csv, or name the field so in the task before.`,
  );
}

/** Redshift reports nearly all errors under one code; the text contains the cause. */
async function copyFailure(load: Load, error: ServerError): Promise<Error> {
  const { manifestUri, table, database, storage } = load;
  const doing = `load ${manifestUri} into ${table.schema}.${table.table}`;
  if (/stl_load_errors/i.test(error.message)) {
    return userFault(
      'DataDoesNotFit',
      `Redshift could not ${doing}: ${(await loadError(load)) ?? describe(error)} Correct the data in the task before, or the type of the column.`,
      error,
    );
  }
  if (/NoSuchKey|does not exist.*S3|unexpected length|content_length|gzip/i.test(error.message)) {
    return platformFault('DatasetChanged', `Redshift could not ${doing}: ${describe(error)} The data was overwritten since.`, error);
  }
  if (/S3ServiceException/i.test(error.message)) {
    return /AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|Status 403|not authorized/i.test(error.message)
      ? userFault(
          'AccessDenied',
          `Redshift could not ${doing}: ${describe(error)} Let iam_role of connection '${database.connection}', or the keys of connection '${storage.connection}', read the bucket.`,
          error,
        )
      : platformFault('S3Unavailable', `Redshift could not ${doing}: ${describe(error)}`, error);
  }
  return databaseFailure(error, database, doing);
}

/** The row that Redshift failed on, if this user may read the error table. */
async function loadError({ database }: Load): Promise<string | undefined> {
  try {
    // The error aborted the transaction, which accepts no further queries.
    await database.client.query('ROLLBACK');
    const { rows } = await database.client.query<Record<'file' | 'line' | 'name' | 'reason' | 'value', string>>(
      `SELECT trim(filename) AS file, line_number AS line, trim(colname) AS name, trim(err_reason) AS reason, trim(raw_field_value) AS value
       FROM stl_load_errors WHERE session = pg_backend_pid() ORDER BY starttime DESC LIMIT 1`,
    );
    const [found] = rows;
    return found && `${found.file}, line ${found.line}, column ${found.name}: '${found.value}': ${found.reason}.`;
  } catch {
    return undefined;
  }
}

/** The statement contains a key, and an error may quote the statement. */
function withoutSecret(error: ServerError, secret: string | undefined): ServerError {
  if (secret === undefined) return error;
  const clean = (text: string): string => text.replaceAll(secret, '***');
  const { detail, hint, where } = error;
  return Object.assign(new Error(clean(error.message)), {
    severity: 'ERROR',
    code: error.code,
    ...(detail !== undefined && { detail: clean(detail) }),
    ...(hint !== undefined && { hint: clean(hint) }),
    ...(where !== undefined && { where: clean(where) }),
  });
}

function authorization({ iam_role: role }: RedshiftConnection, aws: AwsConnection): string {
  if (role !== undefined) return `IAM_ROLE ${quoteLiteral(role)}`;
  if (aws.access_key_id !== undefined && aws.secret_access_key !== undefined) {
    return `ACCESS_KEY_ID ${quoteLiteral(aws.access_key_id)} SECRET_ACCESS_KEY ${quoteLiteral(aws.secret_access_key)}`;
  }
  throw userFault(
    'InvalidParameters',
    'Redshift needs a right to read S3: put iam_role into the Redshift connection, or a key and its secret into the AWS connection.',
  );
}
