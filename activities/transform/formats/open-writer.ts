import { exactJsonText } from '../../../workflows/plan/values/exact-json.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { WriteFormat } from '../parameters.ts';
import { csvHeader, csvRow } from './csv.ts';
import { fixedLine } from './fixed-width.ts';
import { xmlElement } from './write-xml.ts';

/** Writes records as text. */
export interface RecordWriter {
  /** The text before the first record. */
  readonly start: string;
  /** The text of a record. @throws RecordRefused when the format cannot hold it unchanged */
  write(record: JsonObject, isFirst: boolean): string;
  /** The text after the last record. */
  readonly end: string;
}

/** @param columns of csv, in their order */
export function openWriter(write: WriteFormat, columns: readonly string[]): RecordWriter {
  const { format, delimiter, header = false, fixed_columns: fixed = [], root = 'records', record: name = 'record' } = write;
  switch (format) {
    case 'jsonl':
      return { start: '', write: (record) => `${exactJsonText(record)}\n`, end: '' };
    case 'json':
      return { start: '[', write: (record, isFirst) => `${isFirst ? '\n' : ',\n'}${exactJsonText(record)}`, end: '\n]\n' };
    case 'csv':
      return { start: header ? csvHeader(columns, delimiter) : '', write: (record) => csvRow(record, columns, delimiter), end: '' };
    case 'fixed_width':
      return { start: '', write: (record) => fixedLine(record, fixed), end: '' };
    case 'xml':
      return {
        start: `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n`,
        write: (record) => `${xmlElement(name, record)}\n`,
        end: `</${root}>\n`,
      };
  }
}
