import { FileBroken, MAX_RECORD_CHARACTERS } from './source-record.ts';

/** Splits a text into lines, without their ends (LF or CR LF). @throws FileBroken for a line beyond the limit */
export async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<readonly string[]> {
  let rest = '';
  let count = 0;
  for await (const chunk of text) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_RECORD_CHARACTERS)
      throw new FileBroken(`line ${count + lines.length + 1} has more than ${MAX_RECORD_CHARACTERS.toLocaleString('en')} characters`);
    count += lines.length;
    if (lines.length > 0) yield lines.map(withoutReturn);
  }
  if (rest !== '') yield [withoutReturn(rest)];
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
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
