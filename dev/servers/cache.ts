import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { withFileLock } from '../launch/file-lock.mjs';

/** The user's cache of fetched programs, which all clones share: `$XDG_CACHE_HOME/sluice`, by default `~/.cache/sluice`. */
export function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const base = environment['XDG_CACHE_HOME'];
  const usable = base !== undefined && isAbsolute(base); // the specification says to ignore relative paths
  return join(usable ? base : join(environment['HOME'] ?? homedir(), '.cache'), 'sluice');
}

/** A cache entry: its folder name (with the version), and a file that a complete entry must contain. */
export interface CacheEntry {
  readonly name: string;
  readonly essential: string;
}

/**
 * Returns the folder of a cache entry if it exists. Entries appear by a rename, so they are complete, unless files were deleted or a link
 * target (the Python of a virtual environment) was uninstalled.
 */
export function findCached(environment: NodeJS.ProcessEnv, entry: CacheEntry): string | undefined {
  const folder = join(cacheFolder(environment), entry.name);
  return existsSync(join(folder, entry.essential)) ? folder : undefined;
}

/**
 * Returns the folder of a cache entry; if it does not exist, `fill` creates it in a temporary folder, which is then renamed. Concurrent
 * calls create it once; the next call deletes the remains of a killed one.
 */
export async function cached(
  environment: NodeJS.ProcessEnv,
  entry: CacheEntry,
  report: (text: string) => void,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const { name } = entry;
  const root = cacheFolder(environment);
  const onWait = (pid: number | undefined) => report(`another start (process ${pid ?? 'unknown'}) is fetching it, waiting`);
  return withFileLock(
    join(root, '.locks', `${name}.lock`),
    async () => {
      const found = findCached(environment, entry);
      if (found !== undefined) return found;
      for (const left of await readdir(root)) {
        if (left === name || left.startsWith(`${name}.partial-`)) await rm(join(root, left), { recursive: true, force: true });
      }
      const partial = join(root, `${name}.partial-${randomBytes(4).toString('hex')}`);
      await mkdir(partial, { recursive: true });
      try {
        await fill(partial);
        await rename(partial, join(root, name));
      } catch (error) {
        await rm(partial, { recursive: true, force: true });
        throw error;
      }
      return join(root, name);
    },
    { onWait },
  );
}
