import type { Storage } from '../dataset/storage.ts';
import {
  type Champion,
  type Evaluation,
  modelFolder,
  type ModelRegistry,
  type ModelVersion,
  type CurrentChampion,
  versionAt,
  versionFolder,
} from './model-registry.ts';
import { RegistryFiles } from './registry-files.ts';
import { S3ChampionLog } from './s3-champion-log.ts';

/**
 * A registry in S3, beside the files of the models:
 * `<store>/<model>/versions/<version>/version.json`, `…/evaluation.json`, and the champions: see s3-champion-log.ts.
 * Immutable files are written once, and the champion is changed by S3's conditional writes.
 */
export class S3Registry implements ModelRegistry {
  readonly place: string;
  readonly #files: RegistryFiles;

  /** @param store `s3://bucket/prefix` */
  constructor(storage: Storage, store: string, signal: AbortSignal) {
    this.place = store;
    this.#files = new RegistryFiles(storage, signal);
  }

  async models(): Promise<readonly string[]> {
    return distinct(await this.#files.list(`${this.place.replace(/\/+$/, '')}/`));
  }

  async versions(model: string): Promise<readonly ModelVersion[]> {
    const names = distinct(await this.#files.list(`${modelFolder(this.place, model)}versions/`)).reverse();
    const found: ModelVersion[] = [];
    for (const name of names) {
      const version = await this.find(model, name);
      if (version) found.push(version);
    }
    return found;
  }

  find(model: string, version: string): Promise<ModelVersion | undefined> {
    return this.#files.read<ModelVersion>(this.#inVersion(model, version, 'version.json'));
  }

  findAt(model: string, uri: string): Promise<ModelVersion | undefined> {
    return this.find(model, versionAt(uri));
  }

  async prepare(model: string): Promise<void> {
    await this.champion(model);
  }

  async register(draft: Omit<ModelVersion, 'version'>): Promise<ModelVersion> {
    const version: ModelVersion = { ...draft, version: versionAt(draft.uri) };
    const written = await this.#files.write(this.#inVersion(draft.model, version.version, 'version.json'), version, undefined);
    return written ? version : ((await this.find(draft.model, version.version)) ?? version);
  }

  evaluation(model: string, version: string): Promise<Evaluation | undefined> {
    return this.#files.read<Evaluation>(this.#inVersion(model, version, 'evaluation.json'));
  }

  async saveEvaluation(model: string, version: string, evaluation: Evaluation): Promise<void> {
    const place = this.#inVersion(model, version, 'evaluation.json');
    // The last write wins.
    while (!(await this.#files.write(place, evaluation, (await this.#files.readText(place))?.etag)));
  }

  async champion(model: string): Promise<CurrentChampion | undefined> {
    const current = await this.#championLog(model).current(async (version) => (await this.find(model, version)) !== undefined);
    return current && { champion: current.champion, mark: String(current.number) };
  }

  history(model: string): Promise<readonly Champion[]> {
    return this.#championLog(model).history();
  }

  async mark(model: string): Promise<string | undefined> {
    const number = await this.#championLog(model).latest();
    return number === 0 ? undefined : String(number);
  }

  crown(model: string, champion: Champion, before: Pick<CurrentChampion, 'mark'> | undefined): Promise<boolean> {
    return this.#championLog(model).begin(champion, Number(before?.mark ?? 0));
  }

  #championLog(model: string): S3ChampionLog {
    return new S3ChampionLog(this.#files, modelFolder(this.place, model), model);
  }

  #inVersion(model: string, version: string, name: string): string {
    return versionFolder(this.place, model, version) + name;
  }
}

/** The distinct first segments of paths, in order. */
function distinct(paths: readonly string[]): string[] {
  return [...new Set(paths.filter((path) => path.includes('/')).map((path) => path.slice(0, path.indexOf('/'))))];
}
