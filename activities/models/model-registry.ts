import type { JsonObject } from '../../workflows/plan/json.ts';

/** What was measured, by name. */
export type Metrics = Readonly<Record<string, number>>;

/** What a version was made of, and by whom: enough to make it again. */
export interface Lineage {
  readonly pipeline_run: string;
  readonly task: string;
  /** Of the plan that the run has carried out. */
  readonly plan_hash: string;
  /** ISO 8601 in UTC, half open. */
  readonly data_interval: { readonly start: string; readonly end: string };
  /** The data sets that it was trained on: `s3://bucket/prefix/`, and how many rows they had. */
  readonly datasets: readonly { readonly uri: string; readonly rows: number }[];
  /** The program that has trained it, and the SHA-256 of its code where it is a file of this installation. */
  readonly trainer: { readonly program: string; readonly sha256?: string };
  readonly params: JsonObject;
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
}

/** How good a version and the champion of that time were on the same data. */
export interface Evaluation {
  readonly metrics: Metrics;
  /** Absent where there was none. */
  readonly champion?: { readonly version: string; readonly metrics: Metrics };
  readonly data: string | null;
}

/** The version in use. */
export interface Champion {
  readonly version: string;
  /** Whom it has replaced; null: nobody. */
  readonly previous: string | null;
  /** The run that has promoted it. */
  readonly promoted_by: string;
}

/** The champion, and what tells this state of the registry from every other. */
export interface Reign {
  readonly champion: Champion;
  readonly mark: string;
}

/** Keeps versions of models, and says which is in use. */
export interface ModelRegistry {
  /** Where it is, for messages. */
  readonly place: string;
  /** @returns undefined when there is none */
  find(model: string, version: string): Promise<ModelVersion | undefined>;
  /** The version whose files are at `uri`. */
  findAt(model: string, uri: string): Promise<ModelVersion | undefined>;
  /** Registers a version; one that was registered for the same files stays as it is, and is the answer. */
  register(draft: Omit<ModelVersion, 'version'>): Promise<ModelVersion>;
  evaluation(model: string, version: string): Promise<Evaluation | undefined>;
  saveEvaluation(model: string, version: string, evaluation: Evaluation): Promise<void>;
  champion(model: string): Promise<Reign | undefined>;
  /**
   * Makes a version the champion, if the champion is still who it was: compare and set.
   * @param before who it was; undefined: nobody
   * @returns false when somebody else was faster
   */
  crown(model: string, champion: Champion, before: Reign | undefined): Promise<boolean>;
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
