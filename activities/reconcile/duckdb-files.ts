import type { DatasetManifest } from '../../workflows/plan/datasets/dataset.ts';
import type { ComparedColumn } from './column-family.ts';
import { duckdb, isUnbounded } from './dialects/duckdb.ts';

const TYPES: Readonly<Record<ComparedColumn['family'], string>> = {
  number: 'BIGINT',
  float: 'DOUBLE',
  boolean: 'BOOLEAN',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMPTZ',
  text: 'VARCHAR',
  uuid: 'UUID',
  bytes: 'BLOB',
  other: 'VARCHAR',
};

/** DuckDB's type for a PostgreSQL type. */
export function duckdbType(column: ComparedColumn): string {
  if (isUnbounded(column)) return 'VARCHAR';
  const [, digits, scale = '0'] = /^(?:numeric|decimal)\((\d+)(?:, ?(\d+))?\)$/i.exec(column.type) ?? [];
  if (digits !== undefined) return `DECIMAL(${digits}, ${scale})`;
  return /^(real|float4)$/i.test(column.type) ? 'FLOAT' : TYPES[column.family];
}

/** Maximum size of a row, and of one read, in bytes. */
export const LONGEST_ROW = 16_000_000;

/** Reads a CSV file in the format of PostgreSQL's COPY: NULL is an empty field, the empty text is "". */
export function readCsv(file: string, columns: number, compression: DatasetManifest['compression']): string {
  const types = Array.from({ length: columns }, (_, index) => `'c${index}': 'VARCHAR'`);
  return `read_csv(${duckdb.literal(file)}, auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', nullstr = '',
    allow_quoted_nulls = false, new_line = '\\n', compression = '${compression}', max_line_size = ${LONGEST_ROW}, buffer_size = ${2 * LONGEST_ROW},
    columns = {${types.join(', ')}})`;
}

/** Reads a file of JSON lines, each as text in column `line`. */
export function jsonLines(file: string, compression: DatasetManifest['compression']): string {
  return `read_csv(${duckdb.literal(file)}, auto_detect = false, header = false, delim = '\u0001', quote = '', escape = '', new_line = '\\n',
    compression = '${compression}', max_line_size = ${LONGEST_ROW}, buffer_size = ${2 * LONGEST_ROW}, columns = {'line': 'VARCHAR'})`;
}

/** The value of a column in the JSON of `line`, as text. */
export function jsonColumn(name: string): string {
  return `json_extract_string(line, ${duckdb.literal(`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`)})`;
}

/** A value cast to the type of its column. */
export function duckdbValue(column: ComparedColumn, value: string, format: DatasetManifest['format']): string {
  const { family, type } = column;
  // The padding of CHAR is not part of the text.
  if (family === 'text') return /^(character\(|char\(|bpchar)/i.test(type) ? `rtrim(${value}::VARCHAR, ' ')` : `${value}::VARCHAR`;
  if (format === 'csv') {
    if (family === 'bytes') return `unhex(substr(${value}, 3))`;
    // DuckDB writes the era after the date.
    if (['date', 'timestamp', 'timestamptz'].includes(family)) {
      return `regexp_replace(${value}, '^(\\S+)(.*) BC$', '\\1 (BC)\\2')::${duckdbType(column)}`;
    }
  }
  return `${value}::${duckdbType(column)}`;
}
