/**
 * Control characters of terminals, characters that reorder text, and unpaired surrogates, which terminals cannot show. Tabs and line feeds
 * are layout; only `escapeLine` escapes them.
 */
const UNPRINTABLE =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/**
 * Makes multi-line text safe for a terminal: characters that would move the cursor, recolor, hide, tag or reorder text become escapes such
 * as `\u001b`. In JSON the value stays the same.
 */
export function escapeText(text: string): string {
  const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return text.replace(UNPRINTABLE, (character) => character.split('').map(escape).join(''));
}

/** Escapes a name, an id or a value that must stay on one line. */
export function escapeLine(text: string): string {
  return escapeText(text.replaceAll('\n', '\\n').replaceAll('\t', '\\t'));
}

/** Replaces each character that `escapeLine` escapes with a blank, so that positions stay the same. */
export function blankText(text: string): string {
  return text.replace(UNPRINTABLE, (character) => ' '.repeat(character.length)).replace(/[\t\n]/g, ' ');
}
