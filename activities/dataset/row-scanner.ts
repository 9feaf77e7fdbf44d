import type { DatasetFormat } from '../../workflows/plan/dataset.ts';

const QUOTE = 0x22;
const NEWLINE = 0x0a;

/**
 * Finds where rows end in a stream of CSV or JSON lines, whatever way it is cut into chunks. In CSV a newline inside quotes is data; a
 * quote within quotes is doubled, so it leaves and re-enters them and needs no state of its own. There is no header.
 */
export class RowScanner {
  readonly #quotes: boolean;
  #inQuotes = false;
  #inRow = false;
  #ended = 0;

  constructor(format: Exclude<DatasetFormat, 'parquet'>) {
    this.#quotes = format === 'csv';
  }

  /** Rows so far; the last one counts although its newline may be missing. */
  get rows(): number {
    return this.#ended + (this.#inRow ? 1 : 0);
  }

  /** Whether the bytes so far end with the end of a row. */
  get betweenRows(): boolean {
    return !this.#inRow;
  }

  /**
   * Reads `chunk` from `from`, until `limit` rows have ended in it.
   * @returns the offset after the last byte read
   */
  scan(chunk: Uint8Array, from = 0, limit = Infinity): number {
    let inQuotes = this.#inQuotes;
    let ended = 0;
    let at = from;
    for (; at < chunk.length && ended < limit; at++) {
      const byte = chunk[at];
      if (byte === NEWLINE) {
        if (!inQuotes) ended += 1;
      } else if (byte === QUOTE && this.#quotes) inQuotes = !inQuotes;
    }
    if (at > from) this.#inRow = inQuotes || chunk[at - 1] !== NEWLINE;
    this.#inQuotes = inQuotes;
    this.#ended += ended;
    return at;
  }
}
