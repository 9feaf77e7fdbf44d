import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { withFileLock } from '../launch/file-lock.mjs';

/** The user's cache of fetched programs, shared by all clones: `$XDG_CACHE_HOME/sluice`, by default `~/.cache/sluice`. */
export function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const base = environment['XDG_CACHE_HOME'];
  const usable = base !== undefined && isAbsolute(base); // the standard says to ignore a relative one
  return join(usable ? base : join(environment['HOME'] ?? homedir(), '.cache'), 'sluice');
}

/** Something in the cache: its folder's name (with the version), and a file without which it is of no use. */
export interface CacheEntry {
  readonly name: string;
  readonly essential: string;
}

/**
 * The folder of a cached thing when it is there. It appears by a rename, so what is there is whole; unless somebody has cleaned up in it,
 * or what it links to (a virtual environment's Python) has been uninstalled.
 */
export function findCached(environment: NodeJS.ProcessEnv, entry: CacheEntry): string | undefined {
  const folder = join(cacheFolder(environment), entry.name);
  return existsSync(join(folder, entry.essential)) ? folder : undefined;
}

/**
 * The folder of a cached thing; when it is not there, `fill` makes it in a temporary folder, which is then renamed. Two at once make it
 * once; what a killed one left is deleted by the next.
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
