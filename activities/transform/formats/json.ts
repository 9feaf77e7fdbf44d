import { parseExactJson } from '../../../workflows/plan/values/exact-json.ts';
import { isMap, type Json } from '../../../workflows/plan/values/json.ts';
import { atPointer } from '../../http/json-pointer.ts';
import { linesOf, wholeText } from './lines.ts';
import { FileBroken, MAX_DOCUMENT_CHARACTERS, type SourceRecord } from './source-record.ts';

/** Reads one JSON value per line. Empty lines are skipped. */
export async function* readJsonLines(text: AsyncIterable<string>): AsyncGenerator<readonly SourceRecord[]> {
  for await (const lines of linesOf(text)) yield lines.filter((line) => line.trim() !== '').map(lineOf);
}

function lineOf(line: string): SourceRecord {
  try {
    return { value: parseExactJson(line) };
  } catch {
    return { reason: 'the line is not JSON', raw: line };
  }
}

/**
 * Reads a JSON document: the items of a list, or a single value.
 * @param records a JSON pointer to the list: `/orders`; default: the whole document
 */
export async function* readJsonDocument(text: AsyncIterable<string>, records = ''): AsyncGenerator<readonly SourceRecord[]> {
  let document: Json;
  try {
    document = parseExactJson(await wholeText(text, MAX_DOCUMENT_CHARACTERS));
  } catch (error) {
    if (error instanceof SyntaxError) throw new FileBroken(`it is not JSON: ${error.message}`);
    throw error;
  }
  const found = atPointer(document, records);
  if (found === undefined) {
    const keys = isMap(document) ? Object.keys(document).slice(0, 20).join(', ') : 'a list';
    throw new FileBroken(`nothing is at \`records: ${records}\`; the document has: ${keys}`);
  }
  yield (Array.isArray(found) ? (found as readonly Json[]) : [found]).map((value) => ({ value }));
}
