import { FileBroken, MAX_RECORD_CHARACTERS } from './source-record.ts';

/** Splits a text into lines, without their ends (LF, CR LF or CR). @throws FileBroken for a line beyond the limit */
export async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<readonly string[]> {
  let rest = '';
  let count = 0;
  for await (const chunk of text) {
    const whole = rest + chunk;
    // The LF of a CR LF may be the start of the next chunk.
    const held = whole.endsWith('\r') ? 1 : 0;
    const lines = whole.slice(0, whole.length - held).split(/\r\n?|\n/);
    rest = (lines.pop() ?? '') + whole.slice(whole.length - held);
    if (rest.length > MAX_RECORD_CHARACTERS)
      throw new FileBroken(`line ${count + lines.length + 1} has more than ${MAX_RECORD_CHARACTERS.toLocaleString('en')} characters`);
    count += lines.length;
    if (lines.length > 0) yield lines;
  }
  if (rest !== '') yield [rest.endsWith('\r') ? rest.slice(0, -1) : rest];
}

/** A whole text. @throws FileBroken when it exceeds `most` characters */
export async function wholeText(text: AsyncIterable<string>, most: number): Promise<string> {
  const chunks: string[] = [];
  let size = 0;
  for await (const chunk of text) {
    size += chunk.length;
    if (size > most)
      throw new FileBroken(`it has more than ${most.toLocaleString('en')} characters, the limit of a document that is read as a whole`);
    chunks.push(chunk);
  }
  return chunks.join('');
}
