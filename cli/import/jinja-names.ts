import type { Json } from '../../workflows/plan/values/json.ts';
import type { Value } from './jinja-values.ts';

/** What expressions of a task may read beside the names of every run. */
export interface JinjaNames {
  /** The DAG's parameters, by their names there. */
  readonly params: ReadonlyMap<string, { readonly name: string; readonly kind: Value['kind']; readonly constant?: string }>;
  /** The task that the text belongs to. */
  readonly task: string;
  readonly timezone?: string;
  /**
   * A parameter in place of what Airflow keeps elsewhere: a Variable, or `dag_run.conf`.
   * @returns its name here; undefined for what must not be a parameter, such as a secret
   */
  parameter(origin: 'variable' | 'conf', name: string, fallback?: Json): string | undefined;
  /** What a task before this one gives, as an expression. */
  output(task: string): Value | undefined;
}
