import { rm } from 'node:fs/promises';
import { withFileLock } from './launch/file-lock.mjs';
import { homePaths } from './home.ts';
import { readJson, writeJson } from './servers/json-file.ts';
import type { Part } from './servers/parts/part.ts';

/** `<home>/environment.json`: the variables of the running local parts, for `sluice …` and a worker that is started by hand. */
export async function readStackEnvironment(home: string): Promise<Record<string, string>> {
  return (await readJson<Record<string, string>>(homePaths.environment(home))) ?? {};
}

/** Puts the variables of some parts in the place of what the file said of them; it goes when nothing is left in it. */
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
 * The environment without what an earlier start of this very stack gave: a shell that has loaded `environment.json`, or a process that
 * has merged it, has not thereby chosen servers of its own.
 */
export async function withoutOwnValues(home: string, environment: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const own = await readStackEnvironment(home);
  return Object.fromEntries(Object.entries(environment).filter(([name, value]) => own[name] === undefined || own[name] !== value));
}
