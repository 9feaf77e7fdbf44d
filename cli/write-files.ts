import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { ROOT } from '../lib/environment.ts';
import { CommandError } from './command-context.ts';

/** Files to create: paths in a folder, with their texts. */
export type NewFiles = ReadonlyMap<string, string>;

/** Templates are not source files of this repository, and npm would not pack files such as .gitignore. */
const SUFFIX = '.template';

/**
 * Reads a template, or all templates of a folder, and fills them in.
 * @param path in cli/templates/
 * @param values texts by the names that templates write as `__name__`
 * @returns the files by their paths in the folder: `_gitignore.template` is `.gitignore`
 */
export async function readTemplates(path: string, values: Readonly<Record<string, string>>): Promise<NewFiles> {
  const folder = join(ROOT, 'cli', 'templates', path);
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(SUFFIX)).sort();
  const files = await Promise.all(
    names.map(async (name): Promise<[string, string]> => [
      name.slice(0, -SUFFIX.length).replace(/^_/, '.'),
      fill(await readFile(join(folder, name), 'utf8'), values),
    ]),
  );
  return new Map(files);
}

function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/__(\w+?)__/g, (placeholder, name: string) => values[name] ?? placeholder);
}

/** Creates files in a folder; no file if one of them exists. @throws CommandError */
export async function writeFiles(folder: string, files: NewFiles): Promise<void> {
  const existing: string[] = [];
  for (const path of files.keys()) if (await exists(join(folder, path))) existing.push(shown(join(folder, path)));
  if (existing.length > 0)
    throw new CommandError(`${existing.join(', ')} already ${existing.length === 1 ? 'exists' : 'exist'}. Nothing was written.`);
  for (const [path, text] of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: 'wx' });
  }
}

/** A path as messages show it. */
export function shown(path: string): string {
  return relative(process.cwd(), path) || '.';
}

/** Case-sensitive on every file system. */
async function exists(file: string): Promise<boolean> {
  const names = await readdir(dirname(file)).catch((): string[] => []);
  return names.includes(file.slice(dirname(file).length + 1));
}
