import { quoteIdentifier, quoteLiteral } from '../../support/sql/identifiers.ts';
import type { ComparedColumn } from '../column-family.ts';
import type { Dialect } from './dialect.ts';

const quoted = ({ name }: ComparedColumn): string => quoteIdentifier(name);

/** PostgreSQL's SQL. Sessions are in UTC. */
export const postgres = withCasing(undefined);

/**
 * PostgreSQL's SQL, with a collation for the lowercase letters of all alphabets: the database's own may support only ASCII.
 * @param collation undefined: the database's own
 */
export function withCasing(collation: string | undefined): Dialect {
  return {
    name: 'PostgreSQL',
    identifier: quoteIdentifier,
    literal: quoteLiteral,
    instant: quoteLiteral,

    boolean: (column) =>
      column.family === 'boolean'
        ? `CASE ${quoted(column)} WHEN true THEN '1' WHEN false THEN '0' END`
        : `CASE WHEN ${quoted(column)} IS NULL THEN NULL WHEN ${quoted(column)} = 0 THEN '0' WHEN ${quoted(column)} = 1 THEN '1' ELSE ${quoted(column)}::text END`,
    number(column, scale) {
      if (column.scale === scale) return `${quoted(column)}::text`;
      // A direct cast to numeric would cut a float to 15 digits.
      return `round(${quoted(column)}${column.family === 'float' ? '::text' : ''}::numeric, ${scale})::text`;
    },
    date: (column) => `${quoted(column)}${column.family === 'date' ? '' : '::date'}::text`,
    time(column, { timezone, precision }, alike) {
      const zoned =
        timezone !== undefined && column.family === 'timestamp'
          ? `(${quoted(column)} AT TIME ZONE ${quoteLiteral(timezone)})`
          : quoted(column);
      const utc = timezone === undefined ? zoned : `(${zoned} AT TIME ZONE 'UTC')`;
      const cut = precision === undefined ? utc : `date_trunc(${quoteLiteral(precision)}, ${utc})`;
      if (alike) return `${cut}::text`;
      // to_char has no text for infinity or for the era.
      return `coalesce(CASE WHEN ${cut} >= '0001-01-01' THEN to_char(${cut}, 'YYYY-MM-DD HH24:MI:SS.US') END, ${cut}::text)`;
    },
    text(column, { trim, empty_is_null: emptyIsNull, ignore_case: ignoreCase, unicode }) {
      let text = `${quoted(column)}::text`;
      if (unicode !== undefined) text = `normalize(${text}, NFC)`;
      if (trim) text = `btrim(${text})`;
      if (ignoreCase) text = `lower(${text}${collation === undefined ? '' : ` COLLATE ${quoteIdentifier(collation)}`})`;
      return emptyIsNull ? `nullif(${text}, '')` : text;
    },
    bytes: (column) => `encode(${quoted(column)}, 'hex')`,
    exact(column) {
      if (column.family === 'number') return column.scale === 0 ? `${quoted(column)}::text` : `trim_scale(${quoted(column)})::text`;
      if (column.family === 'float') return `(${quoted(column)} + 0)::text`;
      return `${quoted(column)}${column.type === 'json' ? '::jsonb' : ''}::text`;
    },
    given: quoted,
    ordered: (column) => `${quoted(column)}${column.family === 'text' ? ' COLLATE "C"' : ''}`,

    concat: (texts) => texts.join(' || '),
    size: (text) => `octet_length(${text})::text`,
    md5: (text, digits) => `('x' || substr(md5(${text}), 1, ${digits}))::bit(${digits * 4})::bigint`,
    segment: (key, from, width, wide) =>
      // div() is exact, but slower.
      wide ? `div(${key}::numeric - (${from}), ${width})` : `(${key}::bigint - (${from})) / ${width}`,
  };
}
