import { formatS3Uri, parseS3Uri } from '../../lib/s3.ts';
import { type DatasetFile, type DatasetFormat, type DatasetManifest, ROW_FORMATS } from '../../workflows/plan/datasets/dataset.ts';
import { exactJsonText } from '../../workflows/plan/values/exact-json.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { DatasetOutput } from '../support/dataset/dataset-output.ts';
import { deleteAllUnder } from '../support/dataset/delete-under.ts';
import { PartWriter } from '../support/dataset/part-writer.ts';
import type { Storage } from '../support/dataset/storage.ts';

/** The files that one attempt writes, in a folder of its own: the result, and the dead letters. Neither exists before its first text. */
export class TransformFiles {
  readonly compression: DatasetManifest['compression'];
  private readonly folder: string;
  private readonly extension: string;
  private result: PartWriter | undefined;
  private deadLetters: PartWriter | undefined;

  constructor(
    private readonly storage: Storage,
    { uri, mark }: Pick<DatasetOutput, 'uri' | 'mark'>,
    format: DatasetFormat,
  ) {
    const isRows = (ROW_FORMATS as readonly string[]).includes(format);
    this.compression = isRows ? 'gzip' : 'none';
    this.extension = format === 'fixed_width' ? 'txt' : `${format}${isRows ? '.gz' : ''}`;
    this.folder = `${uri}attempt-${mark}/`;
  }

  async write(text: string): Promise<void> {
    this.result ??= new PartWriter(this.storage, parseS3Uri(`${this.folder}part-00000.${this.extension}`), this.compression);
    await this.result.write(Buffer.from(text));
  }

  async writeDeadLetter(letter: JsonObject): Promise<void> {
    this.deadLetters ??= new PartWriter(this.storage, parseS3Uri(`${this.folder}dead-letters.jsonl`), 'none');
    await this.deadLetters.write(Buffer.from(`${exactJsonText(letter)}\n`));
  }

  async close(rows: number, rejected: number): Promise<{ readonly files: readonly DatasetFile[]; readonly deadLetters: string | null }> {
    const files = this.result ? [await this.result.close(rows)] : [];
    await this.deadLetters?.close(rejected);
    return { files, deadLetters: this.deadLetters ? formatS3Uri(this.deadLetters.location) : null };
  }

  /** Gives up the uploads that are open. */
  async abort(): Promise<void> {
    await this.result?.abort();
    await this.deadLetters?.abort();
  }

  async clear(signal: AbortSignal): Promise<void> {
    await deleteAllUnder(this.storage, parseS3Uri(this.folder), signal);
  }
}
