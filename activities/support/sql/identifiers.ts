import pg from 'pg';
import { userFault } from '../../run/errors.ts';

/** A table as an analyst writes it. Without a schema it is looked up on the connection's search path. */
export interface TableName {
  readonly schema: string | undefined;
  readonly table: string;
}

/** Any text as an SQL identifier: `"we""ird; name"`. */
export const quoteIdentifier = pg.escapeIdentifier;

/** Any text as an SQL string. */
export const quoteLiteral = pg.escapeLiteral;

/**
 * Parses `table` or `schema.table`; letter case matters. A name that contains a dot is written in double quotes, as in SQL:
 * `"odd.schema"."odd.table"`.
 * @throws ApplicationFailure InvalidParameters
 */
export function parseTableName(text: string): TableName {
  const parts = text.includes('"') ? quotedParts(text) : text.split('.');
  const [first, second] = parts;
  if (first && parts.length === 1) return { schema: undefined, table: first };
  if (first && second && parts.length === 2) return { schema: first, table: second };
  throw userFault(
    'InvalidParameters',
    `'${text}' is not the name of a table. Write table, schema.table, or "a name"."with dots or quotes".`,
  );
}

function quotedParts(text: string): string[] {
  const parts = /^(?:"((?:[^"]|"")+)"|([^".]+))(?:\.(?:"((?:[^"]|"")+)"|([^".]+)))?$/.exec(text);
  // A stray quote in an unquoted name is part of the name: such tables are rare, but exist.
  if (!parts) return text.split('.');
  return [parts[1] ?? parts[2], parts[3] ?? parts[4]].filter((part) => part !== undefined).map((part) => part.replaceAll('""', '"'));
}

/** As SQL: `"schema"."table"`. */
export function quoteTable({ schema, table }: TableName): string {
  return (schema === undefined ? '' : `${quoteIdentifier(schema)}.`) + quoteIdentifier(table);
}

/** For messages: `schema.table`. */
export function formatTable({ schema, table }: TableName): string {
  return schema === undefined ? table : `${schema}.${table}`;
}
