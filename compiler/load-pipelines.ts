import { constants } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { PipelineFile } from './compile.ts';
import { MAX_BYTES } from './parse.ts';

/** Thrown when pipelines cannot be read from where they were said to be. */
export class PipelinesNotFound extends Error {
  override readonly name = 'PipelinesNotFound';
}

/** So many files are open at the same time: processes may have few (`ulimit -n`). */
const OPEN_AT_ONCE = 16;

/**
 * The pipeline files at `path`: a file, or every `.yaml` and `.yml` of a folder and its subfolders, by name, but
 * those of tests (`.test.yaml`). A file or a subfolder that cannot be read is one of them, with the reason: it never hides the others.
 * The one place of the compiler that reads the disk.
 * @throws PipelinesNotFound when there is nothing at `path`
 */
export async function loadPipelines(path: string): Promise<PipelineFile[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new PipelinesNotFound(`There is no file or folder '${path}'. Name a pipeline's YAML file, or a folder of them.`);
  if (!found.isDirectory()) return [await readPipelineFile(path)];
  const { files, refused } = await yamlFiles(path);
  const loaded: PipelineFile[] = [...refused];
  const waiting = [...files];
  const readAll = async (): Promise<void> => {
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) loaded.push(await readPipelineFile(file));
  };
  await Promise.all(Array.from({ length: OPEN_AT_ONCE }, readAll));
  return loaded.sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** Reads one file, if it is not larger than a pipeline may be. Nothing is thrown: `refused` says what is wrong. */
export async function readPipelineFile(path: string): Promise<PipelineFile> {
  const file = relative(process.cwd(), path);
  try {
    // Without waiting for whoever writes into it: a name may be that of a pipe.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const about = await handle.stat();
      const { size } = about;
      if (!about.isFile()) return refusal(path, 'It is not a file that can be read, but a pipe, a device or a folder.');
      if (size > MAX_BYTES) {
        return {
          file,
          text: '',
          refused: {
            code: 'SL103',
            message: `The file has ${size.toLocaleString('en')} bytes; a pipeline may have ${MAX_BYTES.toLocaleString('en')}.`,
          },
        };
      }
      return { file, text: await handle.readFile('utf8') };
    } finally {
      await handle.close();
    }
  } catch (error) {
    return unreadable(path, 'file', error);
  }
}

/** Hidden folders are left out: `.git`, and those to which the links of a mounted ConfigMap of Kubernetes lead. */
async function yamlFiles(folder: string): Promise<{ files: string[]; refused: PipelineFile[] }> {
  const files: string[] = [];
  const refused: PipelineFile[] = [];
  const folders = [folder];
  const root = await realpath(folder);
  for (let each = folders.pop(); each !== undefined; each = folders.pop()) {
    try {
      for (const entry of await readdir(each, { withFileTypes: true })) {
        const path = join(each, entry.name);
        if (entry.name.startsWith('.')) continue;
        if (entry.isDirectory()) folders.push(path);
        else if (/\.ya?ml$/.test(entry.name) && !/\.test\.ya?ml$/.test(entry.name)) {
          const reason = entry.isSymbolicLink() ? await whyNotFollowed(path, root) : undefined;
          if (reason === undefined) files.push(path);
          else refused.push(refusal(path, reason));
        }
      }
    } catch (error) {
      refused.push(unreadable(each, 'folder', error));
    }
  }
  return { files, refused };
}

/** A link out of the folder could show a file of the host in the messages about it. @returns why a link is not followed, as a sentence */
async function whyNotFollowed(path: string, root: string): Promise<string | undefined> {
  try {
    const target = await realpath(path);
    if (target.startsWith(root + sep)) return undefined;
    return 'It is a link to a file outside of the folder of pipelines. Put the file, or a copy of it, into the folder.';
  } catch (error) {
    return `It is a link that leads nowhere: ${reasonOf(error)}.`;
  }
}

function unreadable(path: string, what: 'file' | 'folder', error: unknown): PipelineFile {
  return refusal(path, `The ${what} cannot be read: ${reasonOf(error)}.`);
}

function refusal(path: string, message: string): PipelineFile {
  return { file: relative(process.cwd(), path), text: '', refused: { code: 'SL108', message } };
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'this user may not read it';
    case 'ENOENT':
      return 'it is gone';
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open (ulimit -n)';
    default:
      return message;
  }
}
