import { abortUploads, deleteObjects, listObjects, parseS3Uri, type S3Location } from '../../lib/s3.ts';
import type { Storage } from '../support/dataset/storage.ts';
import { askStorage } from '../support/dataset/storage-failure.ts';

/** The files of one attempt, in a folder that other attempts may also write to. */
export class OwnFiles {
  readonly storage: Storage;
  readonly prefix: S3Location;
  readonly #uri: string;
  readonly #mark: string;
  readonly #name: RegExp;

  /**
   * @param uri of the folder: `s3://bucket/prefix/`
   * @param mark part of the names of exactly these files
   */
  constructor(storage: Storage, uri: string, mark: string) {
    this.storage = storage;
    this.prefix = parseS3Uri(uri);
    this.#uri = uri;
    this.#mark = mark;
    this.#name = new RegExp(`^part-\\d{5,}-${mark}\\.(csv|jsonl)(\\.gz)?$`);
  }

  nameOf(part: number, extension: string): string {
    return `part-${String(part).padStart(5, '0')}-${this.#mark}.${extension}`;
  }

  /** Aborts uploads that a killed attempt left open. */
  async abortUploads(signal: AbortSignal): Promise<void> {
    await this.#onStorage(() => abortUploads(this.storage.client, this.prefix, this.#isOwn, signal));
  }

  /** Deletes all files except those in `keep`. */
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
    await askStorage(this.storage, this.prefix.bucket, `clear ${this.#uri}`, work);
  }
}
