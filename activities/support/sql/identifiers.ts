import pg from 'pg';
import { userFault } from '../../run/errors.ts';

/** A table as an analyst names it. Without a schema it is looked up on the connection's search path. */
export interface TableName {
  readonly schema: string | undefined;
  readonly table: string;
}

/** As SQL's identifier, whatever it holds: `"we""ird; name"`. */
export const quoteIdentifier = pg.escapeIdentifier;

/** As SQL's string, whatever it holds. */
export const quoteLiteral = pg.escapeLiteral;

/**
 * Reads `table` or `schema.table`, taken letter for letter. A name that itself holds a dot is written in double quotes, as in SQL:
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
  // A stray quote inside a bare name is part of the name: catalogs hold such tables, if rarely.
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
