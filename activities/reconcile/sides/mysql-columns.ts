import type { MySQLField } from '../../../lib/databases/mysql.ts';
import type { ComparedColumn, Family } from '../column-family.ts';

const UNSIGNED = 32;
const ENUM = 256;
const SET = 2048;
const BYTES = 63;

/** Type numbers of the protocol. TINYINT(1) is an ordinary number: the analyst declares whether 0 and 1 count as a boolean. */
const TYPES: Readonly<Record<number, readonly [string, Family]>> = {
  0: ['decimal', 'number'],
  1: ['tinyint', 'number'],
  2: ['smallint', 'number'],
  3: ['int', 'number'],
  4: ['float', 'float'],
  5: ['double', 'float'],
  7: ['timestamp', 'timestamptz'],
  8: ['bigint', 'number'],
  9: ['mediumint', 'number'],
  10: ['date', 'date'],
  11: ['time', 'other'],
  12: ['datetime', 'timestamp'],
  13: ['year', 'number'],
  16: ['bit', 'number'],
  245: ['json', 'other'],
  246: ['decimal', 'number'],
  249: ['text', 'text'],
  250: ['text', 'text'],
  251: ['text', 'text'],
  252: ['text', 'text'],
  253: ['varchar', 'text'],
  254: ['char', 'text'],
  255: ['geometry', 'other'],
};
const BINARY: Readonly<Record<string, string>> = { text: 'blob', varchar: 'varbinary', char: 'binary' };

/** A column as the server describes it in a result. */
export function mysqlColumn({ name, type, flags, length, decimals, characterSet }: MySQLField): ComparedColumn {
  const [word, family] = TYPES[type] ?? ['unknown', 'other'];
  if (family === 'text') return textColumn(name, word, flags, characterSet);
  if (family !== 'number') return { name, type: word, family, scale: undefined };
  const unsigned = word !== 'bit' && word !== 'year' && (flags & UNSIGNED) > 0 ? ' unsigned' : '';
  return { name, type: `${word}${sizeOf(word, flags, length, decimals)}${unsigned}`, family, scale: word === 'decimal' ? decimals : 0 };
}

function textColumn(name: string, word: string, flags: number, characterSet: number): ComparedColumn {
  if ((flags & (ENUM | SET)) > 0) return { name, type: (flags & ENUM) > 0 ? 'enum' : 'set', family: 'text', scale: undefined };
  if (characterSet === BYTES) return { name, type: BINARY[word] ?? word, family: 'bytes', scale: undefined };
  return { name, type: word, family: 'text', scale: undefined };
}

/** The size in parentheses, if it matters: digits of a decimal, bits, and the 1 of TINYINT(1). */
function sizeOf(word: string, flags: number, length: number, decimals: number): string {
  if (word === 'decimal') return `(${length - (decimals > 0 ? 1 : 0) - ((flags & UNSIGNED) > 0 ? 0 : 1)},${decimals})`;
  return word === 'bit' || (word === 'tinyint' && length === 1) ? `(${length})` : '';
}
