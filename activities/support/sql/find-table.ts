import type { SqlClient } from '../../../lib/databases/postgres.ts';
import { userFault } from '../../run/errors.ts';
import type { Database } from './opened-database.ts';
import { formatTable, quoteIdentifier, type TableName } from './identifiers.ts';
import { didYouMean } from '../nearest.ts';

export interface FoundTable {
  readonly schema: string;
  readonly table: string;
  /** pg_class.relkind: r table, p partitioned, v view, m materialized view, f foreign table. */
  readonly kind: string;
}

/**
 * Finds a table by its exact name in the catalog, with SQL that PostgreSQL and Redshift both support.
 * @param hint added to the message when there is none
 * @throws ApplicationFailure TableNotFound, with similar names
 */
export async function findTable(database: Database, name: TableName, hint: () => string = () => ''): Promise<FoundTable> {
  const { client, connection, server, user } = database;
  const found = await lookUp(client, name);
  if (found) return found;
  const { rows } = await client.query<FoundTable & { visible: boolean }>(
    `SELECT n.nspname AS schema, c.relname AS "table", c.relkind AS kind, pg_table_is_visible(c.oid) AS visible
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_%'
     ORDER BY 1, 2 LIMIT 20000`,
  );
  const sameElsewhere = rows.filter((row) => row.table === name.table).map((row) => `${row.schema}.${row.table}`);
  const candidates = rows.map((row) => (row.visible && name.schema === undefined ? row.table : `${row.schema}.${row.table}`));
  const meant =
    sameElsewhere.length > 0 ? ` Did you mean '${sameElsewhere.slice(0, 3).join("' or '")}'?` : didYouMean(formatTable(name), candidates);
  const none = rows.length === 0 ? ` User '${user}' sees no tables there.` : '';
  throw userFault(
    'TableNotFound',
    `There is no table '${formatTable(name)}' at ${server} (connection '${connection}').${meant}${none}${hint()}`,
  );
}

async function lookUp(client: SqlClient, { schema, table }: TableName): Promise<FoundTable | undefined> {
  const select = `SELECT n.nspname AS schema, c.relname AS "table", c.relkind AS kind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = $1`;
  const { rows } =
    schema === undefined
      ? await client.query<FoundTable>(`${select} AND pg_table_is_visible(c.oid)`, [table])
      : await client.query<FoundTable>(`${select} AND n.nspname = $2`, [table, schema]);
  return rows[0];
}

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  /** A row need not give a value: a default, a generated or an identity column. */
  readonly hasDefault: boolean;
  /** `GENERATED ALWAYS AS (…)`: the table computes the value and accepts none. */
  readonly isGenerated: boolean;
  /** `GENERATED ALWAYS AS IDENTITY`: an INSERT may override it, an UPDATE may not. */
  readonly isNumbered: boolean;
}

/** The columns of a table in order. Redshift's older catalog lists identity among the defaults. */
export async function columnsOf(
  client: SqlClient,
  { schema, table }: FoundTable,
  server: 'postgres' | 'redshift' = 'postgres',
): Promise<TableColumn[]> {
  const kinds =
    server === 'postgres'
      ? `a.atthasdef OR a.attidentity <> '' AS "hasDefault", a.attgenerated <> '' AS "isGenerated", a.attidentity = 'a' AS "isNumbered"`
      : 'a.atthasdef AS "hasDefault", false AS "isGenerated", false AS "isNumbered"';
  const { rows } = await client.query<TableColumn>(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS "notNull", ${kinds}
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [schema, table],
  );
  return rows;
}

/** `"a", "b"`. */
export function quoteList(names: readonly string[], prefix = ''): string {
  return names.map((name) => prefix + quoteIdentifier(name)).join(', ');
}
