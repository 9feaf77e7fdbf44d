import type { Json } from '../../workflows/plan/values/json.ts';
import type { Value } from './jinja-values.ts';

/** A parameter as expressions read it. */
export interface ImportedParam {
  /** Its name in the pipeline. */
  readonly name: string;
  readonly kind: Value['kind'];
  /** Its value, where it is the same in all runs. */
  readonly constant?: string;
  /** Whether its default has capital letters. */
  readonly hasCapitals?: boolean;
}

/** Names that expressions of a task may read, in addition to the names of every run. */
export interface JinjaNames {
  /** The DAG's parameters, by the DAG's names. */
  readonly params: ReadonlyMap<string, ImportedParam>;
  /** The task that contains the text. */
  readonly task: string;
  readonly timezone?: string;
  /**
   * A parameter that replaces a Variable or a key of `dag_run.conf`.
   * @returns its name in the pipeline; undefined if it must not be a parameter, such as a secret
   */
  parameter(origin: 'variable' | 'conf', name: string, fallback?: Json): string | undefined;
  /** The output of an earlier task, as an expression. */
  output(task: string): Value | undefined;
}
