import type { ReadFormat } from '../parameters.ts';
import { readCsv } from './csv.ts';
import { readEdi } from './edi.ts';
import { readFixedWidth } from './fixed-width.ts';
import { readJsonDocument, readJsonLines } from './json.ts';
import { readXml } from './read-xml.ts';
import type { ReadRecords } from './source-record.ts';
import { validated } from './xsd.ts';

/**
 * The reader of a format.
 * @param leaveOut called with a number of lines that are not records
 */
export function openReader(read: ReadFormat, leaveOut: (lines: number) => void): ReadRecords {
  const { format, columns, delimiter, records, record = '', lists = [], fixed_columns: fixed = [], starts_with: start, xsd } = read;
  switch (format) {
    case 'json':
      return (text) => readJsonDocument(text, records);
    case 'jsonl':
      return readJsonLines;
    case 'csv':
      return (text) => readCsv(text, { ...(delimiter !== undefined && { delimiter }), columns });
    case 'fixed_width':
      return (text) => readFixedWidth(text, { columns: fixed, ...(start !== undefined && { starts_with: start }) }, leaveOut);
    case 'xml':
      return (text) => readXml(xsd === undefined ? text : validated(text, xsd), { record, lists });
    case 'edi':
      return (text) =>
        readEdi(text, {
          ...(read.record_segment !== undefined && { record_segment: read.record_segment }),
          ...(read.separators && { separators: read.separators }),
        });
  }
}
