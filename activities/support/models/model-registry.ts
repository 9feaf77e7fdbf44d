import type { JsonObject } from '../../../workflows/plan/values/json.ts';

/** What was measured, by name. */
export type Metrics = Readonly<Record<string, number>>;

/** What a version was made of, and the run that made it: enough to make it again. */
export interface Lineage {
  readonly pipeline_run: string;
  readonly task: string;
  /** Of the plan that the run has carried out. */
  readonly plan_hash: string;
  /** ISO 8601 in UTC, half open. */
  readonly data_interval: { readonly start: string; readonly end: string };
  /** The data sets that it was trained on. */
  readonly datasets: readonly DatasetOfLineage[];
  /** The rows of the only one of them that were set aside, and are its evaluation's; absent where the training has not split it. */
  readonly held_out?: HeldOut;
  /** The program that has trained it, and the SHA-256 of its code where it is a file of this installation. */
  readonly trainer: { readonly program: string; readonly sha256?: string };
  readonly params: JsonObject;
}

/** Rows that a training has set aside. */
export interface HeldOut {
  /** The column that the rows were split by, and the smallest value of it that was set aside. */
  readonly by: string;
  readonly from: string;
  readonly dataset: DatasetOfLineage;
}

/** A data set that a version was trained on. */
export interface DatasetOfLineage {
  /** `s3://bucket/prefix/`. */
  readonly uri: string;
  readonly rows: number;
  /** SHA-256 of its manifest, in hexadecimal like `contents`; absent, as that, in versions of earlier releases. */
  readonly checksum?: string;
  /** The same for every data set with the same files, such as another extract of the same rows. */
  readonly contents?: string;
}

/** A trained model. It never changes. */
export interface ModelVersion {
  readonly model: string;
  readonly version: string;
  /** Where its files are: `s3://bucket/prefix/`. */
  readonly uri: string;
  /** What its trainer has measured. */
  readonly metrics: Metrics;
  readonly lineage: Lineage;
  /** Absent in versions of earlier releases. */
  readonly files?: ModelFiles;
}

/** The files of a version as they were when it was registered. */
export interface ModelFiles {
  readonly count: number;
  readonly bytes: number;
  /** Of the list of them, `files.json`: lower-case hexadecimal. */
  readonly sha256: string;
}

/** How good a version and the champion of that time were on the same data. */
export interface Evaluation {
  readonly metrics: Metrics;
  /** Absent where there was none. */
  readonly champion?: { readonly version: string; readonly metrics: Metrics };
  /** Where the data was: `s3://bucket/prefix/`. */
  readonly data: string | null;
  /** The same for evaluations of the same rows by the same program with the same parameters; absent where there was no data. */
  readonly terms?: string;
}

/** The version in use. */
export interface Champion {
  /** null: none, since the champion was cleared. */
  readonly version: string | null;
  /** The version that it has replaced; null: none. */
  readonly previous: string | null;
  /** The run that has promoted it, or the person. */
  readonly promoted_by: string;
  /** ISO 8601; absent where an earlier release has promoted it. */
  readonly promoted_at?: string;
}

/** The champion, and what tells this state of the registry from every other. */
export interface CurrentChampion {
  readonly champion: Champion;
  readonly mark: string;
}

/** So many reigns of a model, the newest ones, are looked at. */
export const MAX_CHAMPIONS_READ = 100;

/** Keeps versions of models, and the one in use. */
export interface ModelRegistry {
  /** Where it is, for messages. */
  readonly place: string;
  /** The names of all models. */
  models(): Promise<readonly string[]>;
  /** Every version of a model, the newest first. */
  versions(model: string): Promise<readonly ModelVersion[]>;
  /** @returns undefined when there is none */
  find(model: string, version: string): Promise<ModelVersion | undefined>;
  /** The version whose files are at `uri`. */
  findAt(model: string, uri: string): Promise<ModelVersion | undefined>;
  /**
   * Finds what would make a training worthless, before it is paid for.
   * @throws ApplicationFailure that says the way out
   */
  prepare(model: string): Promise<void>;
  /** Registers a version; one that was registered for the same files stays as it is, and is the answer. */
  register(draft: Omit<ModelVersion, 'version'>): Promise<ModelVersion>;
  evaluation(model: string, version: string): Promise<Evaluation | undefined>;
  saveEvaluation(model: string, version: string, evaluation: Evaluation): Promise<void>;
  /**
   * The champion; undefined: there never was one. An alias that was lost, or left behind by a worker that died, is put right.
   * @throws ApplicationFailure `DataMismatch` when the alias, or the log of champions, is damaged or was written by something else
   */
  champion(model: string): Promise<CurrentChampion | undefined>;
  /** The champions, the newest first, MAX_CHAMPIONS_READ at most; what cannot be read is left out. */
  history(model: string): Promise<readonly Champion[]>;
  /** The mark of the reign of now, also where the champion cannot be told; undefined: there was none. */
  mark(model: string): Promise<string | undefined>;
  /**
   * Makes a version the champion, if the champion has not changed: compare and set. Whatever the alias holds is overwritten.
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
