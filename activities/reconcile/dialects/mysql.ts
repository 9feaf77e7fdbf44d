import { userFault } from '../../run/errors.ts';
import type { ComparedColumn } from '../column-family.ts';
import { cutTo, type Dialect } from './dialect.ts';

/** CONVERT_TZ knows no other times, and leaves them as they are. */
const CONVERTED = `BETWEEN '1970-01-03' AND '2038-01-17'`;
const FORMAT = `'%Y-%m-%d %H:%i:%s.%f'`;
/** Digits of the widest decimal. A number beyond it would be cut down to it without an error. */
const DIGITS = 65;

const identifier = (name: string): string => `\`${name.replaceAll('`', '``')}\``;
const quoted = ({ name }: ComparedColumn): string => identifier(name);
/** Without the zeros of ZEROFILL; a float with all of its digits. */
const plain = (column: ComparedColumn): string => `(${quoted(column)} + 0${column.family === 'float' ? 'e0' : ''})`;

/**
 * SQL of MySQL and MariaDB. Sessions are in UTC, and take backslashes as they are (sides/mysql.ts). Columns of texts are bytes of UTF-8 there,
 * so that nothing is compared by a collation.
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
  // CONCAT gives NULL for more than the server's max_allowed_packet. A number that no other row has leads to the row being read.
  md5: (text, digits) => `COALESCE(CAST(CONV(LEFT(MD5(${text}), ${digits}), 16, 10) AS UNSIGNED), UUID_SHORT())`,
  // In decimals: the difference of numbers without a sign may not be below zero.
  segment: (key, from, width) => `(CAST(${key} AS DECIMAL(${DIGITS})) - (${from})) DIV ${width}`,
};

/**
 * A time without a zone in UTC. Of an hour that is there twice it is the second, and in one that is left out what was before goes on, as in
 * PostgreSQL; CONVERT_TZ would do neither. Times that the server cannot convert keep their zone: no other side has such a text.
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
