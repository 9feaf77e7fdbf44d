import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { CompiledProject } from '../compiler/project-pipelines.ts';
import { projectOf } from '../compiler/read/project.ts';
import { CommandError, readProject } from './command-context.ts';

const run = promisify(execFile);
/** git prints only a path, an id or an error. */
const MAX_OUTPUT_BYTES = 1024 * 1024;

/**
 * Compiles the pipelines at `paths` as of a commit of their git repository.
 * @param ref a commit, branch or tag
 * @param paths existing files and folders
 * @returns undefined if the commit contains none of them
 * @throws CommandError when git does not have the commit, or the paths are not in a repository
 */
export async function projectAtCommit(ref: string, paths: readonly string[]): Promise<CompiledProject | undefined> {
  const places = await Promise.all(paths.map(placeOf));
  const top = (await git(places[0]?.folder ?? '.', 'rev-parse', '--show-toplevel')).trim();
  const commit = (await git(top, 'rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`)).trim();
  const inRepository = (path: string): string => relative(top, path);
  const has = async (path: string): Promise<boolean> =>
    git(top, 'cat-file', '-e', `${commit}:${inRepository(path)}`).then(
      () => true,
      () => false,
    );
  const exists = await Promise.all(places.map(({ path }) => has(path)));
  const there = places.filter((_, index) => exists[index]);
  if (there.length === 0) return undefined;
  const copy = await mkdtemp(join(tmpdir(), 'sluice-commit-'));
  try {
    const [archive, files] = [join(copy, 'files.tar'), join(copy, 'files')];
    await mkdir(files);
    // The whole project: pipelines read files of SQL and environments beside their folders.
    const projects = [...new Set(there.map(({ path }) => inRepository(projectOf(path).root) || '.'))];
    await git(
      top,
      'archive',
      '--format=tar',
      `--output=${archive}`,
      commit,
      '--',
      ...projects.map((root) => (root.startsWith('..') ? '.' : root)),
    );
    await run('tar', ['-xf', archive, '-C', files]);
    return await readProject(there.map(({ path }) => join(files, inRepository(path))));
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** @returns the absolute path with links resolved, and its folder: the path itself, or that of the file */
async function placeOf(given: string): Promise<{ readonly path: string; readonly folder: string }> {
  const path = await realpath(given);
  return { path, folder: (await stat(path)).isDirectory() ? path : dirname(path) };
}

/** @returns the output of git @throws CommandError with git's error message */
async function git(folder: string, ...args: readonly string[]): Promise<string> {
  try {
    return (await run('git', ['-C', folder, ...args], { maxBuffer: MAX_OUTPUT_BYTES })).stdout;
  } catch (error) {
    const { stderr, message, code } = error as NodeJS.ErrnoException & { stderr?: string };
    if (String(code) === 'ENOENT') throw new CommandError('`--against` needs git, which is not installed here.');
    throw new CommandError(`git ${args[0]} failed: ${stderr?.trim() || message}`);
  }
}
