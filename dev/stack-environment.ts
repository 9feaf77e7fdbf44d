import { rm } from 'node:fs/promises';
import { withFileLock } from './launch/file-lock.mjs';
import { homePaths } from './home.ts';
import { readJson, writeJson } from './servers/json-file.ts';
import type { Part } from './servers/parts/part.ts';

/** `<home>/environment.json`: the variables of the running local parts, for `sluice …` and manually started workers. */
export async function readStackEnvironment(home: string): Promise<Record<string, string>> {
  return (await readJson<Record<string, string>>(homePaths.environment(home))) ?? {};
}

/** Replaces the variables of some parts in the file; deletes the file when it is empty. */
export async function replaceStackEnvironment(
  home: string,
  parts: readonly Pick<Part, 'variables'>[],
  values: Record<string, string>,
): Promise<void> {
  await withFileLock(homePaths.lock(home, 'environment'), async () => {
    const before = await readStackEnvironment(home);
    const replaced = new Set(parts.flatMap((part) => part.variables));
    const kept = Object.entries(before).filter(([name]) => !replaced.has(name));
    const after = { ...Object.fromEntries(kept), ...values };
    if (Object.keys(after).length === 0) await rm(homePaths.environment(home), { force: true });
    else await writeJson(homePaths.environment(home), after);
  });
}

/**
 * Removes the variables of an earlier start of this stack from the environment: a shell that loaded `environment.json`, or a process that
 * merged it, has not chosen its own servers.
 */
export async function withoutOwnValues(home: string, environment: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const own = await readStackEnvironment(home);
  return Object.fromEntries(Object.entries(environment).filter(([name, value]) => own[name] === undefined || own[name] !== value));
}
