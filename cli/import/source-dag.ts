import type { Place, SourceValue } from './source-value.ts';

/** Keys with their values, in Airflow's words whatever the file calls them. */
export type Fields = ReadonlyMap<string, SourceValue>;

/** A name of a task or a group where it is written. */
export interface Reference {
  readonly name: string;
  readonly place: Place;
}

/** A task as a reader hands it on. */
export interface SourceTask {
  readonly id: string;
  readonly place: Place;
  /** The class, with its module where the file has it; absent when the file names none. */
  readonly operator?: string;
  readonly fields: Fields;
  /** Ids of tasks and groups. */
  readonly upstream: readonly Reference[];
  readonly group?: string;
}

/** A task group. */
export interface SourceGroup {
  readonly id: string;
  readonly place: Place;
  readonly parent?: string;
  readonly upstream: readonly Reference[];
}

/** A DAG as a reader hands it on, whatever kind of file it comes from. */
export interface SourceDag {
  readonly id: string;
  readonly place: Place;
  /** `schedule`, `start_date`, `tags`, … */
  readonly fields: Fields;
  /** `default_args`: what tasks have that do not say otherwise. */
  readonly defaults: Fields;
  readonly tasks: readonly SourceTask[];
  readonly groups: readonly SourceGroup[];
}
