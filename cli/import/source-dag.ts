import type { Place, SourceValue } from './source-value.ts';

/** Values by key, under Airflow's names in every file format. */
export type Fields = ReadonlyMap<string, SourceValue>;

/** A reference to a task or group, with its place. */
export interface Reference {
  readonly name: string;
  readonly place: Place;
}

/** A task as a reader returns it. */
export interface SourceTask {
  readonly id: string;
  readonly place: Place;
  /** The class, with its module if the file has it; absent if the file names none. */
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

/** A DAG as a reader returns it, from any file format. */
export interface SourceDag {
  readonly id: string;
  readonly place: Place;
  /** `schedule`, `start_date`, `tags`, … */
  readonly fields: Fields;
  /** `default_args`: default fields of the tasks. */
  readonly defaults: Fields;
  readonly tasks: readonly SourceTask[];
  readonly groups: readonly SourceGroup[];
}
