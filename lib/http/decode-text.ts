import { UnreadableAnswer } from './http-errors.ts';

/** Bytes 0x80 to 0x9f of windows-1252, which Node's TextDecoder reads as ISO-8859-1: https://encoding.spec.whatwg.org/#windows-1252 */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9dž\x9fŸ';

/** Byte order marks and their charsets. */
const MARKS: readonly (readonly [mark: readonly number[], charset: string])[] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xfe, 0xff], 'utf-16be'],
  [[0xff, 0xfe], 'utf-16le'],
];

/**
 * Decodes the text of a response. A byte order mark overrides the declared charset, as in browsers, and is removed; the default is UTF-8.
 * @param charset as declared; undefined if not declared
 * @param isStrict whether to reject invalid bytes; otherwise they become U+FFFD
 * @throws UnreadableAnswer
 */
export function decodeText(bytes: Buffer, charset: string | undefined, isStrict: boolean): string {
  const marked = MARKS.find(([mark]) => mark.every((byte, index) => bytes[index] === byte))?.[1];
  const decoder = decoderOf(marked ?? charset ?? 'utf-8', isStrict);
  if (decoder.encoding === 'windows-1252') {
    return bytes.toString('latin1').replace(/[\x80-\x9f]/g, (byte) => WINDOWS_1252[byte.charCodeAt(0) - 0x80] ?? byte);
  }
  try {
    return decoder.decode(bytes);
  } catch (error) {
    const declared = marked ?? charset;
    const said =
      declared === undefined ? 'no charset is declared, and it is not UTF-8' : `it is not valid ${declared}, which it says it is`;
    throw new UnreadableAnswer(`The answer cannot be read as text: ${said}. The service should declare its charset in content-type.`, {
      cause: error,
    });
  }
}

function decoderOf(charset: string, isStrict: boolean) {
  try {
    return new TextDecoder(charset, { fatal: isStrict });
  } catch (error) {
    if (!isStrict) return new TextDecoder();
    throw new UnreadableAnswer(`The answer is in the charset '${charset}', which this worker does not know.`, { cause: error });
  }
}
