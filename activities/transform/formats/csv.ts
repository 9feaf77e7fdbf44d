import { exactJsonText } from '../../../workflows/plan/values/exact-json.ts';
import { isExactNumber, type Json, type JsonObject } from '../../../workflows/plan/values/json.ts';
import { FileBroken, MAX_RECORD_CHARACTERS, RecordRefused, type SourceRecord } from './source-record.ts';

/** A row: null for an empty field without quotes. */
interface Row {
  readonly fields: readonly (string | null)[];
  readonly raw: string;
  /** Why it is not a row, as a clause. */
  readonly reason?: string;
}

/**
 * Reads CSV (RFC 4180): a field in quotes may contain delimiters, line ends and doubled quotes. An empty field is null, and `""` an empty
 * text.
 * @param columns names of the fields; absent: the first row has them
 */
export async function* readCsv(
  text: AsyncIterable<string>,
  { delimiter = ',', columns }: { readonly delimiter?: string; readonly columns?: readonly string[] | undefined },
): AsyncGenerator<readonly SourceRecord[]> {
  let names = columns;
  for await (const rows of rowsOf(text, delimiter)) {
    let from = 0;
    const [first] = rows;
    if (names === undefined && first) {
      names = namesOf(first);
      from = 1;
    }
    if (names !== undefined) yield recordsOf(rows.slice(from), names);
  }
}

function namesOf({ fields, reason }: Row): string[] {
  const names = fields.map((field) => field ?? '');
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (reason !== undefined || twice !== undefined || names.includes('')) {
    const why = reason ?? (twice === undefined || twice === '' ? 'a column has no name' : `'${twice}' is there twice`);
    throw new FileBroken(`its first row does not name the columns: ${why}. Name them in \`columns\` if the file has no such row`);
  }
  return names;
}

function recordsOf(rows: readonly Row[], names: readonly string[]): SourceRecord[] {
  return rows
    .filter(({ raw }) => raw !== '' || names.length === 1)
    .map(({ fields, raw, reason }): SourceRecord => {
      if (reason !== undefined) return { reason, raw };
      if (fields.length !== names.length)
        return { reason: `the row has ${fields.length} fields, and there are ${names.length} columns`, raw };
      return { value: Object.fromEntries(names.map((name, index) => [name, fields[index] ?? null])) };
    });
}

async function* rowsOf(text: AsyncIterable<string>, delimiter: string): AsyncGenerator<readonly Row[]> {
  let rest = '';
  let count = 0;
  for await (const chunk of text) {
    const { rows, end } = parse(rest + chunk, delimiter, false);
    rest = (rest + chunk).slice(end);
    count += rows.length;
    if (rest.length > MAX_RECORD_CHARACTERS)
      throw new FileBroken(`row ${count + 1} has more than ${MAX_RECORD_CHARACTERS.toLocaleString('en')} characters: a quote may be open`);
    yield rows;
  }
  const { rows, end } = parse(rest, delimiter, true);
  if (end < rest.length) throw new FileBroken(`row ${count + rows.length + 1} is cut short: its quote is never closed`);
  yield rows;
}

/** Parses the complete rows of `text`. @returns them, and where the first incomplete one starts */
function parse(text: string, delimiter: string, isLast: boolean): { readonly rows: Row[]; readonly end: number } {
  const rows: Row[] = [];
  // One search for either end of a field: a text without one of them is not searched to its end for each field.
  const fieldEnd = new RegExp(`[\\u{${(delimiter.codePointAt(0) ?? 0).toString(16)}}\\r\\n]`, 'gu');
  let start = 0;
  while (start < text.length) {
    const row = rowAt(text, start, fieldEnd, isLast);
    if (!row) break;
    rows.push(row.row);
    start = row.next;
  }
  return { rows, end: start };
}

/** @returns undefined when the row may continue after `text` */
function rowAt(text: string, start: number, fieldEnd: RegExp, isLast: boolean): { readonly row: Row; readonly next: number } | undefined {
  const fields: (string | null)[] = [];
  for (let at = start; ;) {
    const field = text[at] === '"' ? quotedAt(text, at, isLast) : { value: null, after: at };
    if (!field) return undefined;
    const found = nextMatch(fieldEnd, text, field.after);
    if (!found && !isLast) return undefined;
    const stop = found?.index ?? text.length;
    const end = found?.[0] ?? '';
    const isEnd = end === '' || end === '\r' || end === '\n';
    const bare = text.slice(field.after, stop);
    if (field.value !== null && bare !== '') {
      const next = afterLine(text, stop, isLast);
      if (next === undefined) return undefined;
      const raw = text.slice(start, next).replace(/\r?\n?$/, '');
      return { row: { fields, raw, reason: 'a field has text after its closing quote' }, next };
    }
    fields.push(field.value ?? (bare === '' ? null : bare));
    if (isEnd) {
      const next = afterLine(text, stop, isLast);
      return next === undefined ? undefined : { row: { fields, raw: text.slice(start, stop) }, next };
    }
    at = stop + end.length;
  }
}

function nextMatch(pattern: RegExp, text: string, from: number): RegExpExecArray | null {
  pattern.lastIndex = from;
  return pattern.exec(text);
}

/** The field whose opening quote is at `at`; undefined when it may continue after `text`. */
function quotedAt(text: string, at: number, isLast: boolean): { readonly value: string; readonly after: number } | undefined {
  let value = '';
  for (let from = at + 1; ;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return undefined;
    value += text.slice(from, quote);
    if (text[quote + 1] !== '"') return quote + 1 === text.length && !isLast ? undefined : { value, after: quote + 1 };
    value += '"';
    from = quote + 2;
  }
}

const LINE_END = /\r\n?|\n/g;

/** Where the next line begins: lines end with LF, CR LF or CR. @returns undefined when the line may continue after `text` */
function afterLine(text: string, from: number, isLast: boolean): number | undefined {
  const found = nextMatch(LINE_END, text, from);
  if (!found) return isLast ? text.length : undefined;
  const next = found.index + found[0].length;
  // The LF of a CR LF may be the start of the next chunk.
  return found[0] === '\r' && next === text.length && !isLast ? undefined : next;
}

/** One row: texts in quotes, null as an empty field, lists and maps as JSON. @throws RecordRefused for a field that is not a column */
export function csvRow(record: JsonObject, columns: readonly string[], delimiter = ','): string {
  const other = Object.keys(record).find((name) => !columns.includes(name));
  if (other !== undefined) throw new RecordRefused(`'${other}' is not one of the columns: ${columns.join(', ')}`);
  return `${columns.map((name) => fieldOf(record[name] ?? null)).join(delimiter)}\n`;
}

/** The names of the columns as a row. */
export function csvHeader(columns: readonly string[], delimiter = ','): string {
  return `${columns.map((name) => fieldOf(name)).join(delimiter)}\n`;
}

function fieldOf(value: Json): string {
  if (value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean' || isExactNumber(value)) return exactJsonText(value);
  const text = typeof value === 'string' ? value : exactJsonText(value);
  // PostgreSQL's text cannot hold it.
  if (text.includes('\0')) throw new RecordRefused('a text contains the character NUL');
  return `"${text.replaceAll('"', '""')}"`;
}
