import type { JsonObject } from '../../../workflows/plan/values/json.ts';

/** Measured values by name. */
export type Metrics = Readonly<Record<string, number>>;

/** What a version was trained from, and the run that trained it: enough to reproduce it. */
export interface Lineage {
  readonly pipeline_run: string;
  readonly task: string;
  /** Hash of the plan that the run executed. */
  readonly plan_hash: string;
  /** ISO 8601 in UTC, half open. */
  readonly data_interval: { readonly start: string; readonly end: string };
  /** The datasets that it was trained on. */
  readonly datasets: readonly DatasetOfLineage[];
  /** The rows of its only dataset that were set aside for the evaluation; absent if the training did not split it. */
  readonly held_out?: HeldOut;
  /** The training program, and the SHA-256 of its code if it is a file of this installation. */
  readonly trainer: { readonly program: string; readonly sha256?: string };
  readonly params: JsonObject;
}

/** Rows that a training set aside. */
export interface HeldOut {
  /** The column that the rows were split by, and its smallest value that was set aside. */
  readonly by: string;
  readonly from: string;
  readonly dataset: DatasetOfLineage;
}

/** A dataset that a version was trained on. */
export interface DatasetOfLineage {
  /** `s3://bucket/prefix/`. */
  readonly uri: string;
  readonly rows: number;
  /** SHA-256 of its manifest, in hexadecimal like `contents`; both are absent in versions of earlier releases. */
  readonly checksum?: string;
  /** The same for every dataset with the same files, such as another extract of the same rows. */
  readonly contents?: string;
}

/** A trained model. It never changes. */
export interface ModelVersion {
  readonly model: string;
  readonly version: string;
  /** Where its files are: `s3://bucket/prefix/`. */
  readonly uri: string;
  /** Metrics reported by its trainer. */
  readonly metrics: Metrics;
  readonly lineage: Lineage;
  /** Absent in versions of earlier releases. */
  readonly files?: ModelFiles;
}

/** The files of a version as they were when it was registered. */
export interface ModelFiles {
  readonly count: number;
  readonly bytes: number;
  /** Lower-case hexadecimal SHA-256 of their list, `files.json`. */
  readonly sha256: string;
}

/** The metrics of a version and of the champion at that time, on the same data. */
export interface Evaluation {
  readonly metrics: Metrics;
  /** Absent if there was none. */
  readonly champion?: { readonly version: string; readonly metrics: Metrics };
  /** The URI of the data: `s3://bucket/prefix/`. */
  readonly data: string | null;
  /** The same for evaluations of the same rows by the same program with the same parameters; absent if there was no data. */
  readonly terms?: string;
}

/** The version in use. */
export interface Champion {
  /** null: the champion was cleared. */
  readonly version: string | null;
  /** The version that it replaced; null: none. */
  readonly previous: string | null;
  /** The run or the person that promoted it. */
  readonly promoted_by: string;
  /** ISO 8601; absent if an earlier release promoted it. */
  readonly promoted_at?: string;
}

/** The champion, with a mark that identifies this state of the registry. */
export interface CurrentChampion {
  readonly champion: Champion;
  readonly mark: string;
}

/** Maximum number of champions read from a model's history, newest first. */
export const MAX_CHAMPIONS_READ = 100;

/** Stores versions of models, and the champion. */
export interface ModelRegistry {
  /** Its location, for messages. */
  readonly place: string;
  /** The names of all models. */
  models(): Promise<readonly string[]>;
  /** All versions of a model, newest first. */
  versions(model: string): Promise<readonly ModelVersion[]>;
  /** @returns undefined when there is none */
  find(model: string, version: string): Promise<ModelVersion | undefined>;
  /** The version whose files are at `uri`. */
  findAt(model: string, uri: string): Promise<ModelVersion | undefined>;
  /**
   * Finds problems that would make a training useless, before it runs.
   * @throws ApplicationFailure that says how to fix the problem
   */
  prepare(model: string): Promise<void>;
  /** Registers a version; if one is already registered for the same files, returns that one unchanged. */
  register(draft: Omit<ModelVersion, 'version'>): Promise<ModelVersion>;
  evaluation(model: string, version: string): Promise<Evaluation | undefined>;
  saveEvaluation(model: string, version: string, evaluation: Evaluation): Promise<void>;
  /**
   * The champion; undefined: there never was one. Repairs an alias that was lost, or left behind by a killed worker.
   * @throws ApplicationFailure `DataMismatch` when the alias or the champion log is damaged or was not written by Sluice
   */
  champion(model: string): Promise<CurrentChampion | undefined>;
  /** The champions, newest first, at most MAX_CHAMPIONS_READ; unreadable entries are left out. */
  history(model: string): Promise<readonly Champion[]>;
  /** The mark of the current entry, even if its champion cannot be read; undefined: there is none. */
  mark(model: string): Promise<string | undefined>;
  /**
   * Makes a version the champion, if the champion has not changed: compare-and-set. The alias is overwritten.
   * @param before the champion before; undefined: there was none
   * @returns false when another promotion was faster
   */
  crown(model: string, champion: Champion, before: Pick<CurrentChampion, 'mark'> | undefined): Promise<boolean>;
}

/** The folder of a model: `s3://models/recommendations/`. */
export function modelFolder(store: string, model: string): string {
  return `${store.replace(/\/+$/, '')}/${model}/`;
}

/** The folder of a version: `s3://models/recommendations/versions/20240101T000000Z-1a2b3c4d/`. */
export function versionFolder(store: string, model: string, version: string): string {
  return `${modelFolder(store, model)}versions/${version}/`;
}

/** The version whose files are at `s3://models/recommendations/versions/<version>/files/`. */
export function versionAt(uri: string): string {
  return uri.replace(/\/$/, '').split('/').at(-2) ?? '';
}
