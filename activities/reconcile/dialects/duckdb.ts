import { userFault } from '../../run/errors.ts';
import { quoteIdentifier } from '../../support/sql/identifiers.ts';
import type { ComparedColumn } from '../column-family.ts';
import type { Dialect } from './dialect.ts';
import { postgres } from './postgres.ts';

/** Maximum precision of a decimal. */
const DIGITS = 38;

const quoted = ({ name }: ComparedColumn): string => quoteIdentifier(name);
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
/** DuckDB's text, with the era (BC) where PostgreSQL writes it. */
const plain = (value: string): string => `regexp_replace(${value}::text, '^(\\S+) \\(BC\\)(.*)$', '\\1\\2 BC')`;

/** Whether DuckDB's decimal cannot hold a column's numbers (too many digits, or no fixed scale): they are kept as text. */
export function isUnbounded({ family, type, scale }: ComparedColumn): boolean {
  if (family !== 'number' || !/^(numeric|decimal)/i.test(type)) return false;
  const precision = Number(/\((\d+)/.exec(type)?.[1] ?? Infinity);
  return scale === undefined || scale < 0 || scale > precision || precision > DIGITS;
}

/** DuckDB's SQL where it differs from PostgreSQL's. The session is in UTC, and sides/dataset.ts chooses the types of the columns. */
export const duckdb: Dialect = {
  ...postgres,
  name: 'DuckDB',
  literal,
  instant: (iso) => `TIMESTAMPTZ ${literal(iso)}`,

  number(column, scale) {
    const text = `${quoted(column)}::text`;
    // A value that does not fit into a decimal stays unchanged.
    return column.scale === scale && !isUnbounded(column)
      ? text
      : `coalesce(TRY_CAST(${text} AS DECIMAL(${DIGITS}, ${scale}))::text, ${text})`;
  },
  date: (column) => plain(`${quoted(column)}::date`),
  time(column, { timezone, precision }) {
    const at =
      timezone !== undefined && column.family === 'timestamp' ? `(${quoted(column)} AT TIME ZONE ${literal(timezone)})` : quoted(column);
    const utc = column.family === 'timestamptz' || timezone !== undefined ? `(${at} AT TIME ZONE 'UTC')` : at;
    const cut = precision === undefined ? utc : `date_trunc(${literal(precision)}, ${utc})::timestamp`;
    const ours = `isfinite(${cut}) AND ${cut} >= TIMESTAMP '0001-01-01'`;
    return `CASE WHEN ${ours} THEN strftime(${cut}, '%Y-%m-%d %H:%M:%S.%f') ELSE ${plain(cut)} END`;
  },
  text(column, { trim, empty_is_null: emptyIsNull, ignore_case: ignoreCase, unicode }) {
    let text = `${quoted(column)}::text`;
    if (unicode !== undefined) text = `nfc_normalize(${text})`;
    if (trim) text = `trim(${text}, ' ')`;
    if (ignoreCase) text = `lower(${text})`;
    return emptyIsNull ? `nullif(${text}, '')` : text;
  },
  bytes: (column) => `lower(hex(${quoted(column)}))`,
  exact(column) {
    if (column.family === 'float') return `(${quoted(column)} + 0)::text`;
    const text = `${quoted(column)}::text`;
    return column.family === 'number' ? `CASE WHEN contains(${text}, '.') THEN rtrim(rtrim(${text}, '0'), '.') ELSE ${text} END` : text;
  },
  given: (column) => (column.family === 'bytes' ? `'\\x' || lower(hex(${quoted(column)}))` : quoted(column)),
  ordered(column) {
    if (!isUnbounded(column)) return quoted(column);
    throw userFault(
      'InvalidParameters',
      `Column '${column.name}' of the dataset is ${column.type}: sum, min and max need a type of at most ${DIGITS} digits, such as numeric(12,2). ` +
        "Let the task that writes the dataset cast it, or compare rows with 'normalize'.",
    );
  },

  size: (text) => `strlen(${text})::text`,
  md5: (text, digits) => `('0x' || substr(md5(${text}), 1, ${digits}))::bigint`,
  segment: (key, from, width) => `(${key}::hugeint - (${from})) // ${width}`,
};
