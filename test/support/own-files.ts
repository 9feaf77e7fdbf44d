import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../lib/environment.ts';

/** Folders of packages, of servers' data, of Git and of what is built. */
const FOREIGN: ReadonlySet<string> = new Set(['node_modules', '.sluice', '.git', 'dist']);

/** The files of this repository whose names match, with paths from the root. */
export function ownFiles(names: RegExp): string[] {
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => !FOREIGN.has(entry.name))
    .flatMap((entry) =>
      entry.isDirectory()
        ? readdirSync(join(ROOT, entry.name), { recursive: true, encoding: 'utf8' }).map((file) => join(entry.name, file))
        : [entry.name],
    )
    .filter((file) => names.test(file));
}
