import type { Json } from '../../../workflows/plan/values/json.ts';

/** A record of a file; or a part of the file that is not one, with the reason as a clause. */
export type SourceRecord = { readonly value: Json } | { readonly reason: string; readonly raw: string };

/** Reads the text of a file. Yields its records in batches, as they come. @throws FileBroken when the file as a whole is not of its format */
export type ReadRecords = (text: AsyncIterable<string>) => AsyncIterable<readonly SourceRecord[]>;

/** Maximum length of one record, in characters: a file without its separators would otherwise fill the memory. */
export const MAX_RECORD_CHARACTERS = 1024 * 1024;

/** Maximum size of a document that is held in memory as a whole, in characters. */
export const MAX_DOCUMENT_CHARACTERS = 64 * 1024 * 1024;

/** Thrown when a file as a whole cannot be read as its format: the records after this place are unknown. */
export class FileBroken extends Error {
  override readonly name = 'FileBroken';
}

/** Thrown for a record that a format cannot hold without changing it. */
export class RecordRefused extends Error {
  override readonly name = 'RecordRefused';
}
