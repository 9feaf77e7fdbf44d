import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { PipelineFile } from './compile.ts';

/** Thrown when pipelines cannot be read from where they were said to be. */
export class PipelinesNotFound extends Error {
  override readonly name = 'PipelinesNotFound';
}

/**
 * The pipeline files at `path`: a file, or every `.yaml` and `.yml` of a folder and its subfolders, by name, but
 * those of tests (`.test.yaml`).
 * The one place of the compiler that reads the disk.
 * @throws PipelinesNotFound when there is nothing at `path`
 */
export async function loadPipelines(path: string): Promise<PipelineFile[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new PipelinesNotFound(`There is no file or folder '${path}'. Name a pipeline's YAML file, or a folder of them.`);
  const files = found.isDirectory() ? await yamlFiles(path) : [path];
  return Promise.all(files.map(async (file) => ({ file: relative(process.cwd(), file), text: await readFile(file, 'utf8') })));
}

async function yamlFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter(({ name }) => /\.ya?ml$/.test(name) && !/\.test\.ya?ml$/.test(name) && !name.startsWith('.'))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
