import { drawing } from '../../support/bags.ts';

/** What ends texts, names, comments or statements somewhere. */
const PIECES = [
  "'",
  "''",
  '\\',
  '\\\\',
  "\\'",
  '"',
  '`',
  '$',
  '$$',
  '$a$',
  '--',
  '/*',
  '*/',
  '#',
  ';',
  ')',
  '(',
  'E',
  "E'",
  'U&',
  '\n',
  '\r',
  '\t',
  ' ',
  'a',
  '0',
  '\\0',
  '\\n',
  '\\x5c',
  '\\u0027',
  'ä',
  '漢',
  '😀',
  '%',
  '_',
  '&',
  '|',
  ',',
  '{{',
  '}}',
  "'; DROP TABLE victims; --",
  "\\'; DROP TABLE victims; --",
];

/** Texts that an event may hold: those that are known to be dangerous, and random ones. The same each time. */
export function oddTexts(count: number): string[] {
  const draw = drawing(22);
  const random = Array.from({ length: count }, () => Array.from({ length: 1 + draw(8) }, () => PIECES[draw(PIECES.length)]).join(''));
  return ['', "zzz\\'; DROP TABLE victims; --", "zzz'; DROP TABLE victims; --", '\\', "'", "\\'", "'\\", ...PIECES, ...random];
}
