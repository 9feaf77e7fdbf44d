import { deleteObjects, parseS3Uri } from '../../../lib/s3.ts';
import { type DatasetReference, MANIFEST_NAME } from '../../../workflows/plan/datasets/dataset.ts';
import type { DatasetOutput } from './dataset-output.ts';
import { ownMark } from './own-mark.ts';
import { findManifest } from './read-manifest.ts';
import type { Storage } from './storage.ts';
import { askStorage } from './storage-failure.ts';
import { type DatasetDescription, writeManifest } from './write-manifest.ts';

/**
 * The folder of an interval, shared by all runs of the interval. Only runs started by an earlier release write there; remove this class
 * when no such run is left.
 */
export class IntervalOutput implements DatasetOutput {
  readonly uri: string;
  readonly mark: string;
  readonly #storage: Storage;

  /** @param uri of the folder: `s3://bucket/dag/task/20240101T000000Z/` */
  constructor(storage: Storage, uri: string, idempotencyKey: string) {
    this.uri = uri;
    this.mark = ownMark(idempotencyKey);
    this.#storage = storage;
  }

  /** Withdraws what an earlier attempt published, before its files are overwritten. Another run's dataset stays. */
  async begin(signal: AbortSignal): Promise<undefined> {
    const published = await this.#publishedKeys(signal);
    if (published.some((key) => key.includes(this.mark))) await this.#delete([parseS3Uri(this.uri).key + MANIFEST_NAME], signal);
  }

  /** Writes the manifest, and deletes the files of the dataset that it replaces. */
  async publish(description: DatasetDescription, signal: AbortSignal): Promise<DatasetReference> {
    const replaced = await this.#publishedKeys(signal);
    const reference = await writeManifest(this.#storage, this.uri, description, signal);
    const kept = new Set(description.files.map(({ url }) => parseS3Uri(url).key));
    await this.#delete(
      replaced.filter((key) => !kept.has(key)),
      signal,
    );
    return reference;
  }

  /** The keys in the folder that its manifest names; none if there is no manifest, or it is not Sluice's. */
  async #publishedKeys(signal: AbortSignal): Promise<string[]> {
    const { bucket, key: prefix } = parseS3Uri(this.uri);
    try {
      const manifest = await findManifest(this.#storage, this.uri + MANIFEST_NAME, signal);
      if (!manifest || manifest.content.writer) return [];
      return manifest.content.entries
        .map(({ url }) => parseS3Uri(url))
        .filter((location) => location.bucket === bucket && location.key.startsWith(prefix))
        .map(({ key }) => key);
    } catch (error) {
      if ((error as { type?: unknown }).type === 'DatasetNotFound') return [];
      throw error;
    }
  }

  async #delete(keys: readonly string[], signal: AbortSignal): Promise<void> {
    const { bucket } = parseS3Uri(this.uri);
    await askStorage(this.#storage, bucket, `clear ${this.uri}`, () => deleteObjects(this.#storage.client, bucket, keys, signal));
  }
}
