const WIDE = /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
const NARROW = /\p{Regional_Indicator}/u;
const ZERO = /\p{M}/u;
/** Most text, and box characters: one column per character. */
const SIMPLE = /^[ -~\u2500-\u257f]*$/;

/** `text` on one line. Control characters and characters that XML forbids become spaces, or are removed if they have no width. */
export function plainText(text: string): string {
  return text
    .replace(/\p{Cf}/gu, '')
    .replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff]/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
}

/** The width of plain text in a monospaced font, in columns. East Asian characters and emoji take two. */
export function columnsOf(text: string): number {
  if (SIMPLE.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += ZERO.test(character) ? 0 : WIDE.test(character) && !NARROW.test(character) ? 2 : 1;
  return columns;
}

/** Truncates plain text to `columns`, with `…` if it was cut. */
export function clip(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let kept = '';
  let left = columns - 1;
  for (const character of text) {
    left -= columnsOf(character);
    if (left < 0) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}
