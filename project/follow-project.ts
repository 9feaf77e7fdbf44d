import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Environment } from '../lib/environment.ts';
import { errorText } from '../workflows/plan/values/error-text.ts';
import { compiledInputs } from './compile-files.ts';
import { findFiles } from './find-files.ts';
import { loadProject, type Project } from './load-project.ts';

/** How often to look for changes, in milliseconds. Polling also works on file systems of other machines, and sees no other files. */
const EVERY_MS = 150;
/** Editors write a file in several steps; changes within this many milliseconds count as one edit. */
const SETTLE_MS = 100;

/** What to do with changes of a project. */
export interface ProjectFollower {
  /** The project has changed and was loaded again. */
  onChange(project: Project): Promise<void>;
  /** The changed project cannot be used; the previous one stays in use. @param reason a text for people */
  onProblem(reason: string): void;
}

/**
 * Loads a project again whenever its configuration, its definitions or a file that they import has changed, until the signal is aborted.
 * Packages are not watched.
 * @param project the project in use
 * @param environment as for loadProject
 */
export async function followProject(
  project: Project,
  environment: Environment,
  signal: AbortSignal,
  { onChange, onProblem }: ProjectFollower,
): Promise<void> {
  let { revision } = project;
  let known = await stateOf(project.root);
  for (;;) {
    await delay(EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const seen = await stateOf(project.root);
    if (seen === known) continue;
    await delay(SETTLE_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    if ((await stateOf(project.root)) !== seen) continue;
    known = seen;
    try {
      const next = await loadProject(environment);
      if (next.revision === revision) continue;
      await onChange(next);
      revision = next.revision;
    } catch (error) {
      onProblem(errorText(error));
    }
  }
}

/** A text that changes with the files that a project is loaded from. */
async function stateOf(root: string): Promise<string> {
  const { config, definitions } = findFiles(root);
  const files = new Set([
    ...(config === undefined ? [] : [config]),
    ...definitions.map(({ file }) => file),
    ...(await compiledInputs(root)),
  ]);
  return [...files]
    .map((file) => {
      const found = statSync(join(root, file), { throwIfNoEntry: false });
      return `${file} ${found?.mtimeMs} ${found?.size}`;
    })
    .join('\n');
}
