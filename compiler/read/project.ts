import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { configFileIn, foldersUpwards } from '../../lib/roots.ts';

/** A team's repository, which owns the pipelines that are applied from it. */
export interface Project {
  /** The `name` in its package.json, else the name of its folder. */
  readonly name: string;
  /** An absolute path. */
  readonly root: string;
}

/**
 * The project of a file or folder: the nearest parent folder with a sluice.config or a package.json, else the folder that contains
 * `pipelines/` or `resources/`, else the folder itself. Nothing in `pipelines/` of a project with a sluice.config is another project: who
 * writes pipelines could otherwise leave its policy.
 */
export function projectOf(path: string): Project {
  const start = folderOf(resolve(path));
  for (const folder of foldersUpwards(start)) {
    const name = packageName(folder) ?? (configFileIn(folder) && '');
    if (name !== undefined && !isAmongPipelines(folder)) return { name: name || basename(folder), root: folder };
  }
  const nearest = (name: string): string | undefined => [...foldersUpwards(start)].find((folder) => basename(folder) === name);
  const known = nearest('pipelines') ?? nearest('resources');
  const root = known === undefined ? start : dirname(known);
  return { name: basename(root) || 'root', root };
}

/** A path relative to the project's root, with `/`. */
export function pathInProject(project: Project, path: string): string {
  return relative(project.root, resolve(path)).split(sep).join('/');
}

function isAmongPipelines(folder: string): boolean {
  const isRoot = (outer: string): boolean => configFileIn(outer) !== undefined && relative(outer, folder).split(sep)[0] === 'pipelines';
  return [...foldersUpwards(dirname(folder))].some(isRoot);
}

function folderOf(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? path : dirname(path);
}

/** @returns undefined if the folder has no readable package.json; '' if it has no name */
function packageName(folder: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: unknown };
    return typeof name === 'string' ? name : '';
  } catch {
    return undefined;
  }
}
