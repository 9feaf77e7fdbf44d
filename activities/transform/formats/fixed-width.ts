import { Decimal } from '../../../workflows/plan/values/decimal.ts';
import { exactJsonText, numberOf } from '../../../workflows/plan/values/exact-json.ts';
import { isExactNumber, type Json, type JsonObject } from '../../../workflows/plan/values/json.ts';
import { linesOf } from './lines.ts';
import { RecordRefused, type SourceRecord } from './source-record.ts';

/** A column of a line. */
export interface FixedColumn {
  readonly name: string;
  /** In characters. */
  readonly width: number;
  /** Default: text. */
  readonly type?: 'text' | 'number';
  /** Digits after a decimal point that is not written: `0001250` with 2 is 12.50. Numbers only. */
  readonly decimals?: number;
}

export interface FixedWidth {
  /** From the start of the line, without gaps. */
  readonly columns: readonly FixedColumn[];
  /** Only lines that begin with this text are records; the others are left out. */
  readonly starts_with?: string;
}

/** Reads lines whose columns have fixed widths. Texts lose the spaces at their end; a blank column is null. */
export async function* readFixedWidth(
  text: AsyncIterable<string>,
  { columns, starts_with: start = '' }: FixedWidth,
  leaveOut: (lines: number) => void,
): AsyncGenerator<readonly SourceRecord[]> {
  const length = columns.reduce((sum, { width }) => sum + width, 0);
  for await (const lines of linesOf(text)) {
    const own = lines.filter((line) => line !== '' && line.startsWith(start));
    leaveOut(lines.filter((line) => line !== '').length - own.length);
    yield own.map((line) => recordOf(line, columns, length));
  }
}

function recordOf(line: string, columns: readonly FixedColumn[], length: number): SourceRecord {
  const characters = Array.from(line);
  if (characters.length !== length)
    return { reason: `the line has ${characters.length} characters, and the columns have ${length}`, raw: line };
  const fields: [string, Json][] = [];
  let at = 0;
  for (const column of columns) {
    const part = characters.slice(at, at + column.width).join('');
    at += column.width;
    const read = part.trim() === '' ? null : column.type === 'number' ? numberIn(part.trim(), column.decimals ?? 0) : part.trimEnd();
    if (read === undefined) return { reason: `'${column.name}' is '${part}', which is not a number`, raw: line };
    fields.push([column.name, read]);
  }
  return { value: Object.fromEntries(fields) };
}

/** @param decimals digits after the decimal point that is not written @returns undefined when it is not a number */
function numberIn(text: string, decimals: number): Json | undefined {
  const [, sign = '', digits = '', fraction = ''] = /^([+-]?)(\d+)(\.\d+)?$/.exec(text) ?? [];
  if (digits === '' || (decimals > 0 && fraction !== '')) return undefined;
  const padded = digits.padStart(decimals + 1, '0');
  const point = padded.length - decimals;
  const plain = decimals === 0 ? digits + fraction : `${padded.slice(0, point)}.${padded.slice(point)}`;
  return numberOf(`${sign === '-' ? '-' : ''}${plain.replace(/^0+(?=\d)/, '')}`) ?? undefined;
}

/** A line. @throws RecordRefused for a value that its column cannot hold unchanged */
export function fixedLine(record: JsonObject, columns: readonly FixedColumn[]): string {
  const other = Object.keys(record).find((name) => !columns.some((column) => column.name === name));
  if (other !== undefined) throw new RecordRefused(`'${other}' is not one of the columns: ${columns.map(({ name }) => name).join(', ')}`);
  return `${columns.map((column) => partOf(record[column.name] ?? null, column)).join('')}\n`;
}

function partOf(value: Json, { name, width, type = 'text', decimals = 0 }: FixedColumn): string {
  if (value === null) return ' '.repeat(width);
  const text = type === 'number' ? digitsOf(value, name, decimals) : textOf(value, name);
  const length = Array.from(text).length;
  if (length > width) throw new RecordRefused(`'${name}' has ${length} characters, and its column has ${width}`);
  if (type === 'text') return text + ' '.repeat(width - length);
  return text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0');
}

function textOf(value: Json, name: string): string {
  const text = typeof value === 'string' ? value : exactJsonText(value);
  // eslint-disable-next-line no-control-regex -- line ends and other control characters would break the line
  if (/[\u0000-\u001f\u007f]/.test(text)) throw new RecordRefused(`'${name}' contains a control character, which a line cannot hold`);
  if (/\s$/.test(text)) throw new RecordRefused(`'${name}' ends with a space, which its reader would remove with the filling`);
  return text;
}

function digitsOf(value: Json, name: string, decimals: number): string {
  const text = isExactNumber(value) || typeof value === 'number' ? exactJsonText(value) : typeof value === 'string' ? value : '';
  if (numberOf(text) === null) throw new RecordRefused(`'${name}' is ${exactJsonText(value)}, which is not a number`);
  const plain = Decimal.of(text).toString();
  if (!/^-?\d+(\.\d+)?$/.test(plain)) throw new RecordRefused(`'${name}' is ${text}, which has too many digits`);
  const [whole = '', fraction = ''] = plain.split('.');
  if (decimals === 0) return plain;
  const kept = fraction.replace(/0+$/, '');
  if (kept.length > decimals) throw new RecordRefused(`'${name}' is ${plain}, and its column has ${decimals} digits after the point`);
  const sign = whole.startsWith('-') ? '-' : '';
  return sign + whole.slice(sign.length) + kept.padEnd(decimals, '0');
}
