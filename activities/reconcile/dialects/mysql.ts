import { userFault } from '../../run/errors.ts';
import type { ComparedColumn } from '../column-family.ts';
import { cutTo, type Dialect } from './dialect.ts';

/** CONVERT_TZ converts only times in this range, and returns others unchanged. */
const CONVERTED = `BETWEEN '1970-01-03' AND '2038-01-17'`;
const FORMAT = `'%Y-%m-%d %H:%i:%s.%f'`;
/** Maximum precision of a decimal. A larger number would be clamped to it without an error. */
const DIGITS = 65;

const identifier = (name: string): string => `\`${name.replaceAll('`', '``')}\``;
const quoted = ({ name }: ComparedColumn): string => identifier(name);
/** Without the padding of ZEROFILL; a float with all its digits. */
const plain = (column: ComparedColumn): string => `(${quoted(column)} + 0${column.family === 'float' ? 'e0' : ''})`;

/**
 * SQL of MySQL and MariaDB. Sessions are in UTC, without backslash escapes (sides/mysql.ts). Text columns are UTF-8 bytes there, so that no
 * collation affects comparisons.
 */
export const mysql: Dialect = {
  name: 'MySQL',
  identifier,
  literal: (text) => `CAST(x'${Buffer.from(text).toString('hex')}' AS BINARY)`,
  instant: (iso) => `TIMESTAMP '${iso.replace('T', ' ').replace('Z', '')}'`,

  boolean: (column) =>
    `CASE WHEN ${quoted(column)} = 0 THEN '0' WHEN ${quoted(column)} = 1 THEN '1' ELSE CAST(${plain(column)} AS CHAR) END`,
  number(column, scale) {
    if (column.scale === scale) return `CAST(${plain(column)} AS CHAR)`;
    const rounded = `CAST(CAST(${plain(column)} AS DECIMAL(${DIGITS}, ${scale})) AS CHAR)`;
    return `CASE WHEN ABS(${quoted(column)}) < 1e${DIGITS - scale} THEN ${rounded} ELSE CAST(${plain(column)} AS CHAR) END`;
  },
  date: (column) => `DATE_FORMAT(${quoted(column)}, '%Y-%m-%d')`,
  time(column, { timezone, precision }) {
    const text =
      timezone !== undefined && column.family === 'timestamp'
        ? inUtc(quoted(column), timezone)
        : `DATE_FORMAT(${quoted(column)}, ${FORMAT})`;
    if (precision === undefined) return text;
    const { kept, rest } = cutTo(precision);
    return `CONCAT(LEFT(${text}, ${kept}), '${rest}')`;
  },
  text(column, { trim, empty_is_null: emptyIsNull, ignore_case: ignoreCase, unicode }) {
    if (unicode !== undefined) {
      throw userFault('InvalidParameters', `Column '${column.name}': MySQL cannot compose Unicode. Take 'unicode' away from 'normalize'.`);
    }
    let text = quoted(column);
    if (trim) text = `TRIM(BOTH ' ' FROM ${text})`;
    if (ignoreCase) text = `CAST(LOWER(CONVERT(${text} USING utf8mb4) COLLATE utf8mb4_unicode_520_ci) AS BINARY)`;
    return emptyIsNull ? `NULLIF(${text}, '')` : text;
  },
  bytes: (column) => `LOWER(HEX(${quoted(column)}))`,
  exact(column) {
    if (column.family === 'number' || column.family === 'float') return `CAST(${plain(column)} AS CHAR)`;
    return column.type === 'geometry' ? `LOWER(HEX(${quoted(column)}))` : `CAST(${quoted(column)} AS CHAR)`;
  },
  given: (column) => (column.family === 'bytes' ? `CONCAT('\\x', LOWER(HEX(${quoted(column)})))` : quoted(column)),
  ordered: quoted,

  concat: (texts) => `CONCAT(${texts.join(', ')})`,
  size: (text) => `LENGTH(${text})`,
  // CONCAT returns NULL beyond the server's max_allowed_packet. A unique number then makes sure that the row itself is read.
  md5: (text, digits) => `COALESCE(CAST(CONV(LEFT(MD5(${text}), ${digits}), 16, 10) AS UNSIGNED), UUID_SHORT())`,
  // Use decimals: the difference of unsigned integers must not be negative.
  segment: (key, from, width) => `(CAST(${key} AS DECIMAL(${DIGITS})) - (${from})) DIV ${width}`,
};

/**
 * Converts a time without a zone to UTC. As in PostgreSQL, an ambiguous hour means its second occurrence, and a skipped hour keeps the
 * offset before it; CONVERT_TZ does neither. Times that the server cannot convert keep their zone, so that they match no other text.
 */
function inUtc(time: string, timezone: string): string {
  const zone = `'${timezone.replaceAll("'", "''")}'`;
  const before = `CONVERT_TZ(${time} - INTERVAL 1 DAY, ${zone}, '+00:00') + INTERVAL 1 DAY`;
  const after = `CONVERT_TZ(${time} + INTERVAL 1 DAY, ${zone}, '+00:00') - INTERVAL 1 DAY`;
  const [earlier, later] = [`LEAST(${before}, ${after})`, `GREATEST(${before}, ${after})`];
  const back = (utc: string): string => `CONVERT_TZ(${utc}, '+00:00', ${zone})`;
  const utc = `CASE WHEN ${back(later)} = ${time} OR ${back(earlier)} <> ${time} THEN ${later} ELSE ${earlier} END`;
  return `CASE WHEN ${time} ${CONVERTED} THEN DATE_FORMAT(${utc}, ${FORMAT}) ELSE CONCAT(DATE_FORMAT(${time}, ${FORMAT}), ' ', ${zone}) END`;
}
