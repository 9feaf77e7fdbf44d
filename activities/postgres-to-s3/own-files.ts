import { abortUploads, deleteObjects, formatS3Uri, listObjects, type S3Location } from '../../lib/s3.ts';
import { withdrawOwn } from '../dataset/replace-dataset.ts';
import type { Storage } from '../dataset/storage.ts';
import { askStorage } from '../dataset/storage-failure.ts';

/** The files of one task in one run, under a prefix that others may write to as well. */
export class OwnFiles {
  readonly storage: Storage;
  readonly prefix: S3Location;
  readonly #mark: string;
  readonly #name: RegExp;

  /** @param mark what the names of these files hold, and no others' */
  constructor(storage: Storage, prefix: S3Location, mark: string) {
    this.storage = storage;
    this.prefix = prefix;
    this.#mark = mark;
    this.#name = new RegExp(`^part-\\d{5,}-${mark}\\.(csv|jsonl)(\\.gz)?$`);
  }

  nameOf(part: number, extension: string): string {
    return `part-${String(part).padStart(5, '0')}-${this.#mark}.${extension}`;
  }

  /** Makes the prefix ready to be written: what a killed attempt has published or begun to upload goes. */
  async begin(signal: AbortSignal): Promise<void> {
    await withdrawOwn(this.storage, formatS3Uri(this.prefix), this.#isOwn, signal);
    await this.#onStorage(() => abortUploads(this.storage.client, this.prefix, this.#isOwn, signal));
  }

  /** Deletes all that is not in `keep`. */
  async clear(keep: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const { client } = this.storage;
    await this.#onStorage(async () => {
      await abortUploads(client, this.prefix, this.#isOwn, signal);
      const objects = await listObjects(client, this.prefix, signal);
      const surplus = objects.map(({ key }) => key).filter((key) => this.#isOwn(key) && !keep.has(key));
      if (surplus.length > 0) await deleteObjects(client, this.prefix.bucket, surplus, signal);
    });
  }

  readonly #isOwn = (key: string): boolean => this.#name.test(key.slice(this.prefix.key.length));

  async #onStorage(work: () => Promise<unknown>): Promise<void> {
    await askStorage(this.storage, this.prefix.bucket, `clear ${formatS3Uri(this.prefix)}`, work);
  }
}
