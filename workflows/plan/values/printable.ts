/**
 * Characters that a terminal obeys or that change the order of what is shown, and halves of surrogate pairs, which no terminal can show. Tabs
 * and line feeds are layout: `escapeLine` escapes them too.
 */
const UNPRINTABLE =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/**
 * Text of many lines as a terminal can show it: what would move the cursor, recolor, hide, tag or reorder text stands there as `\u001b` instead. In
 * JSON this is the same value.
 */
export function escapeText(text: string): string {
  const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return text.replace(UNPRINTABLE, (character) => character.split('').map(escape).join(''));
}

/** A name, an id or a value that must not leave its line. */
export function escapeLine(text: string): string {
  return escapeText(text.replaceAll('\n', '\\n').replaceAll('\t', '\\t'));
}

/** Text with a blank for each character that `escapeLine` escapes: places in it stay where they are. */
export function blankText(text: string): string {
  return text.replace(UNPRINTABLE, (character) => ' '.repeat(character.length)).replace(/[\t\n]/g, ' ');
}
