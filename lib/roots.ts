import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the package, a clone or an installed copy: templates, bundles and documentation. Commands write nothing here. */
export const PACKAGE = packageRoot(dirname(fileURLToPath(import.meta.url)));

/** The file that marks the root of a project. */
const CONFIG_FILES = ['sluice.config.ts', 'sluice.config.mts', 'sluice.config.js', 'sluice.config.mjs'];

/**
 * The root of the project, which owns everything that a command reads and writes: `SLUICE_PROJECT`, else the nearest parent folder with a
 * `sluice.config.*`. Without such a file it is the clone for a folder in the clone, else the folder itself.
 * @param folder where the search starts
 * @returns an absolute path, which may not exist if `SLUICE_PROJECT` is wrong: loadProject reports that
 */
export function projectRoot(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  folder: string = process.cwd(),
): string {
  if (environment.SLUICE_PROJECT) return resolve(folder, environment.SLUICE_PROJECT);
  for (const each of foldersUpwards(folder)) if (configFileIn(each) !== undefined) return each;
  return relative(PACKAGE, folder).startsWith('..') ? folder : PACKAGE;
}

/** The nearest folder with a package.json: compiled files are deeper in the package than their sources. */
function packageRoot(folder: string): string {
  for (const each of foldersUpwards(folder)) if (existsSync(join(each, 'package.json'))) return each;
  throw new Error(`No folder above ${folder} has a package.json: the installation of Sluice is incomplete.`);
}

/** The path of a folder's `sluice.config.*`; undefined if it has none. */
export function configFileIn(folder: string): string | undefined {
  return CONFIG_FILES.map((name) => join(folder, name)).find((file) => existsSync(file));
}

/** A folder and its parents, up to the root of the file system. */
export function* foldersUpwards(start: string): Iterable<string> {
  for (let folder = start; ; folder = dirname(folder)) {
    yield folder;
    if (dirname(folder) === folder) return;
  }
}
