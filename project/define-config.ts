import type { FolderPolicy, Policy } from '../compiler/check/check-policy.ts';
import type { Plugin } from './define-plugin.ts';

export type { FolderPolicy, Policy };

/** The configuration of a project. */
export interface ProjectConfig {
  /** The name of the deployment, which is the task queue of its workers and owns its schedules. `SLUICE_TASK_QUEUE` overrides it. Default: `sluice`. */
  readonly deployment?: string;
  /** Packages with further definitions. Default: none. */
  readonly plugins?: readonly Plugin[];
  /** Which owners, queues, connections and dag_ids the pipelines of each folder may use. Default: all. */
  readonly policy?: Policy;
}

/**
 * Defines the configuration of a project: the default export of its `sluice.config.ts`, which also marks the root of the project.
 * @param config see ProjectConfig for each key; all are optional
 * @returns `config`
 * @example
 * import { defineConfig } from 'sluice';
 * import snowflake from 'sluice-snowflake';
 *
 * export default defineConfig({ deployment: 'acme-data', plugins: [snowflake] });
 */
export function defineConfig(config: ProjectConfig): ProjectConfig {
  return config;
}
