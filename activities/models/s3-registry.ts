import { formatS3Uri, getText, parseS3Uri, putIfUnchanged, type S3Location } from '../../lib/s3.ts';
import type { Storage } from '../dataset/storage.ts';
import { askStorage } from '../dataset/storage-failure.ts';
import {
  type Champion,
  type Evaluation,
  modelFolder,
  type ModelRegistry,
  type ModelVersion,
  type Reign,
  versionAt,
  versionFolder,
} from './model-registry.ts';

/**
 * A registry in S3, beside the files of the models:
 * `<store>/<model>/versions/<version>/version.json`, `…/evaluation.json`, and `<store>/<model>/aliases/champion.json`.
 * What must not change is written once, and the champion is moved by S3's conditional writes.
 */
export class S3Registry implements ModelRegistry {
  readonly place: string;
  readonly #storage: Storage;
  readonly #signal: AbortSignal;

  /** @param store `s3://bucket/prefix` */
  constructor(storage: Storage, store: string, signal: AbortSignal) {
    this.#storage = storage;
    this.place = store;
    this.#signal = signal;
  }

  find(model: string, version: string): Promise<ModelVersion | undefined> {
    return this.#read<ModelVersion>(this.#inVersion(model, version, 'version.json'));
  }

  findAt(model: string, uri: string): Promise<ModelVersion | undefined> {
    return this.find(model, versionAt(uri));
  }

  async register(draft: Omit<ModelVersion, 'version'>): Promise<ModelVersion> {
    const version: ModelVersion = { ...draft, version: versionAt(draft.uri) };
    const written = await this.#write(this.#inVersion(draft.model, version.version, 'version.json'), version, undefined);
    return written ? version : ((await this.find(draft.model, version.version)) ?? version);
  }

  evaluation(model: string, version: string): Promise<Evaluation | undefined> {
    return this.#read<Evaluation>(this.#inVersion(model, version, 'evaluation.json'));
  }

  async saveEvaluation(model: string, version: string, evaluation: Evaluation): Promise<void> {
    const place = this.#inVersion(model, version, 'evaluation.json');
    // The last one counts.
    while (!(await this.#write(place, evaluation, (await this.#readText(place))?.etag)));
  }

  async champion(model: string): Promise<Reign | undefined> {
    const found = await this.#readText(this.#champion(model));
    return found && { champion: JSON.parse(found.text) as Champion, mark: found.etag };
  }

  crown(model: string, champion: Champion, before: Reign | undefined): Promise<boolean> {
    return this.#write(this.#champion(model), champion, before?.mark);
  }

  #inVersion(model: string, version: string, name: string): S3Location {
    return parseS3Uri(versionFolder(this.place, model, version) + name);
  }

  #champion(model: string): S3Location {
    return parseS3Uri(`${modelFolder(this.place, model)}aliases/champion.json`);
  }

  async #read<T>(place: S3Location): Promise<T | undefined> {
    const found = await this.#readText(place);
    return found && (JSON.parse(found.text) as T);
  }

  #readText(place: S3Location): Promise<{ text: string; etag: string } | undefined> {
    return this.#call(place, 'read', () => getText(this.#storage.client, place, this.#signal));
  }

  #write(place: S3Location, value: object, etag: string | undefined): Promise<boolean> {
    const body = JSON.stringify(value, undefined, 1);
    return this.#call(place, 'write', () => putIfUnchanged(this.#storage.client, place, body, etag, this.#signal));
  }

  #call<T>(place: S3Location, doing: string, call: () => Promise<T>): Promise<T> {
    return askStorage(this.#storage, place.bucket, `${doing} ${formatS3Uri(place)}`, call);
  }
}
