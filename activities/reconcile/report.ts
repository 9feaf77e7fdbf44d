import { parseS3Uri } from '../../lib/s3.ts';
import { PartWriter } from '../support/dataset/part-writer.ts';
import type { Storage } from '../support/dataset/storage.ts';
import type { Difference } from './rows/comparison.ts';

/** A value that differs, for display: the key, the column, and the value on each side. */
export interface Mismatch {
  readonly key: Readonly<Record<string, string | null>>;
  /** Absent if one side lacks the row. */
  readonly column?: string;
  readonly kind: 'changed' | 'missing' | 'extra';
  readonly source?: string | null;
  readonly target?: string | null;
}

/** A file in S3, `s3://bucket/key.csv`, and the client that writes it; the report closes the client. */
export interface ReportPlace {
  readonly uri: string;
  readonly storage: Storage;
}

/** Differences shown in the run itself. */
const SHOWN = 10;

/** Collects differences: writes all of them to a file if one is requested, and keeps the first ones for display. */
export class Report {
  readonly shown: Mismatch[] = [];
  readonly #keys: readonly string[];
  readonly #columns: readonly string[];
  readonly #place: ReportPlace | undefined;
  readonly #writer: PartWriter | undefined;
  #lines = 0;

  /** @param place where to write all differences; undefined: nowhere */
  constructor(place: ReportPlace | undefined, keys: readonly string[], columns: readonly string[]) {
    this.#keys = keys;
    this.#columns = columns;
    this.#place = place;
    this.#writer = place && new PartWriter(place.storage, parseS3Uri(place.uri), 'none');
  }

  async begin(): Promise<void> {
    await this.#writer?.write(Buffer.from(csvLine(['kind', ...this.#keys, 'column', 'source', 'target'])));
  }

  /** Adds one line per differing column, or one line for a row that a side lacks. */
  async add({ key, source, target }: Difference): Promise<void> {
    const named = Object.fromEntries(this.#keys.map((name, index) => [name, key[index] ?? null]));
    if (!source || !target) {
      const kind = source ? 'missing' : 'extra';
      await this.#line({ key: named, kind });
      return;
    }
    for (const [index, column] of this.#columns.entries()) {
      const [one = null, other = null] = [source[index], target[index]];
      if (one !== other) await this.#line({ key: named, kind: 'changed', column, source: one, target: other });
    }
  }

  /** Completes the file. @returns its URI */
  async close(): Promise<string | null> {
    await this.#writer?.close(this.#lines);
    return this.#place?.uri ?? null;
  }

  async abort(): Promise<void> {
    await this.#writer?.abort();
  }

  destroy(): void {
    this.#place?.storage.client.destroy();
  }

  async #line(mismatch: Mismatch): Promise<void> {
    if (this.shown.length < SHOWN) this.shown.push(mismatch);
    this.#lines += 1;
    const { key, kind, column = null, source = null, target = null } = mismatch;
    await this.#writer?.write(Buffer.from(csvLine([kind, ...this.#keys.map((name) => key[name] ?? null), column, source, target])));
  }
}

/** NULL is an empty field, the empty text is `""`. */
function csvLine(values: readonly (string | null)[]): string {
  return `${values.map((value) => (value === null ? '' : /^$|[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(',')}\n`;
}
