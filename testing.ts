/** What `import { … } from 'sluice/testing'` gives to the tests of a team's own task types: docs/10-testing-task-types.md. */
import { CATALOG } from './activities/catalog.ts';
import type { TaskType } from './activities/define-task.ts';
import { CHANNELS } from './channels/catalog.ts';
import { type Compilation, Compiler } from './compiler/compile.ts';
import { TRIGGERS } from './sensors/catalog.ts';
import { neededConnections } from './test/support/needed-connections.ts';

export { runTask, type TaskRun } from './test/support/run-task.ts';
export type { Compilation } from './compiler/compile.ts';
export type { Diagnostic } from './compiler/mistakes/diagnostic.ts';

/**
 * Compiles the text of a pipeline file with the task types of Sluice and `tasks`.
 * @returns `plan`, unless the file has mistakes; `diagnostics` with `line`, `column`, `code`, `message` and `hint`
 */
export function compilePipeline(text: string, tasks: readonly TaskType[] = []): Compilation {
  return new Compiler([...CATALOG, ...tasks], TRIGGERS, CHANNELS, neededConnections(tasks)).compile({ file: 'pipeline.yaml', text });
}
