import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../lib/environment.ts';

const FOLDER = join(ROOT, 'node_modules', '.cache', 'sluice');
/** The inputs of a bundle: our own code, and the lock file with the versions of all packages. */
const SOURCES = ['workflows', 'temporal'];

/** Workflow code for workers: JavaScript in one text, with its source map. */
export interface WorkflowCode {
  readonly code: string;
}

/**
 * Reads a bundle of workflows from the cache, or creates and caches it: bundling takes two seconds of CPU at the start of a worker, and
 * webpack's 100 MB for the worker's lifetime. If the cache is not writable, the bundle is created each time.
 * @param name what is bundled
 */
export async function keptBundle(name: string, make: () => Promise<WorkflowCode>): Promise<WorkflowCode> {
  const file = `workflows-${name}-${await sourceKey()}.js`;
  const path = join(FOLDER, file);
  const kept = await readFile(path, 'utf8').catch(() => undefined);
  if (kept !== undefined) return { code: kept };
  const made = await make();
  await keep(path, made.code).then(
    () => removeOthers(name, file),
    () => undefined,
  );
  return made;
}

/** A hash of every source file. */
async function sourceKey(): Promise<string> {
  const hash = createHash('sha256').update(process.version);
  const files = await Promise.all(
    SOURCES.map(async (room) => {
      const names = await readdir(join(ROOT, room), { recursive: true });
      return names.filter((name) => /\.[cm]?[jt]s$/.test(name)).map((name) => join(room, name));
    }),
  );
  for (const file of ['package-lock.json', ...files.flat().sort()]) hash.update(`${file}\n`).update(await readFile(join(ROOT, file)));
  return hash.digest('hex').slice(0, 16);
}

/** Writes the file atomically: another worker may read it at the same time. */
async function keep(path: string, code: string): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const writing = `${path}.${process.pid}`;
  try {
    await writeFile(writing, code);
    await rename(writing, path);
  } finally {
    await rm(writing, { force: true });
  }
}

async function removeOthers(name: string, kept: string): Promise<void> {
  const old = new RegExp(`^workflows-${name}-[0-9a-f]{16}\\.js$`);
  for (const each of await readdir(FOLDER)) if (old.test(each) && each !== kept) await rm(join(FOLDER, each), { force: true });
}
