import type { AwsConnection, RedshiftConnection } from '../../lib/connections.ts';
import { platformFault, userFault } from '../errors.ts';
import { describe, isServerError } from '../sql/database-failure.ts';
import { quoteList } from '../sql/find-table.ts';
import { quoteLiteral } from '../sql/identifiers.ts';
import type { Load } from './load-dataset.ts';
import { STAGING } from './staging-table.ts';

/**
 * Fills the staging table of a Redshift warehouse: Redshift itself reads the objects that the manifest names, and fails when one is missing
 * or has another length.
 *
 * NULL and '' stay different: an empty field is what stands between two delimiters with nothing in between, and EMPTYASNULL makes it NULL;
 * `""` has its quotes in between and stays the empty string (Redshift, COPY, data conversion parameters).
 * @throws ApplicationFailure DatasetChanged, DataDoesNotFit, InvalidParameters
 */
export async function stageFromRedshift(load: Load, warehouse: RedshiftConnection, columns: readonly string[]): Promise<void> {
  const { database, manifest, manifestUri, aws, copyOptions, table } = load;
  const { client } = database;
  if (manifest.entries.length === 0) return;
  const format = { csv: 'FORMAT AS CSV EMPTYASNULL', jsonl: "FORMAT AS JSON 'auto'", parquet: 'FORMAT AS PARQUET' }[manifest.format];
  const options = [
    authorization(warehouse, aws),
    aws.region_name === undefined ? '' : `REGION ${quoteLiteral(aws.region_name)}`,
    format,
    manifest.compression === 'gzip' && manifest.format !== 'parquet' ? 'GZIP' : '',
    manifest.format === 'parquet' ? '' : "TIMEFORMAT 'auto' DATEFORMAT 'auto'",
    ...copyOptions,
    'MANIFEST',
  ].filter((option) => option !== '');
  try {
    await client.query(`COPY ${STAGING} (${quoteList(columns)}) FROM ${quoteLiteral(manifestUri)} ${options.join(' ')}`);
  } catch (error) {
    if (!isServerError(error)) throw error;
    throw userFault(
      'DataDoesNotFit',
      `Redshift could not load ${manifestUri} into ${table.schema}.${table.table}: ${describe(error)} See STL_LOAD_ERRORS for the row.`,
      error,
    );
  }
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) AS count FROM ${STAGING}`);
  const staged = Number(rows[0]?.count);
  if (staged !== manifest.rows) {
    throw platformFault(
      'DatasetChanged',
      `Redshift has read ${staged} rows of ${manifestUri}, which says ${manifest.rows}. Nothing was loaded.`,
    );
  }
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
