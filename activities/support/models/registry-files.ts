import { deleteObjects, formatS3Uri, getText, listObjects, parseS3Uri, putIfUnchanged, type S3Location } from '../../../lib/s3.ts';
import type { Storage } from '../dataset/storage.ts';
import { askStorage } from '../dataset/storage-failure.ts';

/** Small JSON files in S3 that several workers read and write concurrently. */
export class RegistryFiles {
  readonly #storage: Storage;
  readonly #signal: AbortSignal;

  constructor(storage: Storage, signal: AbortSignal) {
    this.#storage = storage;
    this.#signal = signal;
  }

  /** @returns undefined if the file does not exist; `write` compares `etag` */
  readText(uri: string): Promise<{ text: string; etag: string } | undefined> {
    return this.#call(uri, 'read', (place) => getText(this.#storage.client, place, this.#signal));
  }

  /** @returns undefined if the file does not exist */
  async read<T>(uri: string): Promise<T | undefined> {
    const found = await this.readText(uri);
    return found && (JSON.parse(found.text) as T);
  }

  /**
   * Writes a file with compare-and-set.
   * @param etag of the version to replace; undefined: the file must not exist yet
   * @returns whether it was written
   */
  write(uri: string, value: object, etag: string | undefined): Promise<boolean> {
    const body = JSON.stringify(value, undefined, 1);
    return this.#call(uri, 'write', (place) => putIfUnchanged(this.#storage.client, place, body, etag, this.#signal));
  }

  /** The keys under `folder` in order, including those in subfolders. @param folder ends with a slash */
  list(folder: string): Promise<string[]> {
    return this.#call(folder, 'list', async (place) =>
      (await listObjects(this.#storage.client, place, this.#signal)).map(({ key }) => key.slice(place.key.length)),
    );
  }

  delete(uri: string): Promise<void> {
    return this.#call(uri, 'delete', ({ bucket, key }) => deleteObjects(this.#storage.client, bucket, [key], this.#signal));
  }

  #call<T>(uri: string, doing: string, call: (place: S3Location) => Promise<T>): Promise<T> {
    const place = parseS3Uri(uri);
    return askStorage(this.#storage, place.bucket, `${doing} ${formatS3Uri(place)}`, () => call(place));
  }
}
