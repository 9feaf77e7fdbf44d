import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { lstat, open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { PipelineFile } from '../compile.ts';
import type { ReadBeside, ReadText } from './read-beside.ts';
import { nearest } from '../mistakes/diagnostic.ts';
import { DEFAULTS_FILE, type DefaultsFile } from './defaults.ts';
import { listEnvironments, readEnvironment } from './environments.ts';
import { MAX_BYTES } from './parse.ts';
import { pathInProject, projectOf } from './project.ts';

/** Thrown when pipelines cannot be read from the given path. */
export class PipelinesNotFound extends Error {
  override readonly name = 'PipelinesNotFound';
}

/** Maximum files open at a time, because processes may have a low limit (`ulimit -n`). */
const OPEN_AT_ONCE = 16;

/**
 * Reads the pipeline files at `path`: a file, or every `.yaml` and `.yml` of a folder and its subfolders, by name, except tests
 * (`.test.yaml`) and defaults (`defaults.yaml`). A file or subfolder that cannot be read is returned with the reason, and does not hide the others.
 * The only part of the compiler that reads the disk.
 * @param environment the environment of their project whose variables they use; absent: none
 * @throws PipelinesNotFound when there is nothing at `path`
 * @throws EnvironmentNotUsable
 */
export async function loadPipelines(path: string, environment?: string): Promise<PipelineFile[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new PipelinesNotFound(`File or folder '${path}' does not exist. Pass a pipeline's YAML file, or a folder of them.`);
  if (basename(path) === DEFAULTS_FILE && !found.isDirectory())
    throw new PipelinesNotFound(`'${path}' contains defaults of pipelines, not a pipeline. Pass its folder, or a pipeline in it.`);
  const project = projectOf(path);
  const { root } = project;
  const chosen = environment === undefined ? undefined : readEnvironment(root, environment);
  const environments = listEnvironments(root);
  const files = await (found.isDirectory() ? loadFolder(path) : readPipelineFile(path, folderOf(path)).then((file) => [file]));
  const defaults = new DefaultsReader(root);
  return Promise.all(
    files.map(async (file) => ({
      ...file,
      environments,
      place: pathInProject(project, file.file),
      defaults: await defaults.filesFor(file.file),
      ...(chosen && { environment: chosen }),
    })),
  );
}

/** Reads the `defaults.yaml` files of a project, each once. */
class DefaultsReader {
  private readonly known = new Map<string, Promise<DefaultsFile | undefined>>();

  /** @param root the folder of the project */
  constructor(private readonly root: string) {}

  /** The defaults for a file: of its folder, and of the folders around it up to the project's; the nearest first. */
  async filesFor(file: string): Promise<readonly DefaultsFile[]> {
    const found: DefaultsFile[] = [];
    for (let folder = dirname(resolve(file)); ; folder = dirname(folder)) {
      let defaults = this.known.get(folder);
      if (!defaults) this.known.set(folder, (defaults = readDefaults(join(folder, DEFAULTS_FILE), this.root)));
      found.push(...[(await defaults) ?? []].flat());
      if (folder === this.root || dirname(folder) === folder) return found;
    }
  }
}

/** @returns undefined if there is no such file */
async function readDefaults(path: string, root: string): Promise<DefaultsFile | undefined> {
  const about = await lstat(path).catch(() => undefined);
  if (!about) return undefined;
  const reason = about.isSymbolicLink() ? await whyNotFollowed(path, await realpath(root)) : undefined;
  return reason === undefined ? readPipelineFile(path, root) : refusal(path, reason);
}

async function loadFolder(path: string): Promise<PipelineFile[]> {
  const { files, refused } = await yamlFiles(path);
  const loaded: PipelineFile[] = [...refused];
  const waiting = [...files];
  const readAll = async (): Promise<void> => {
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) loaded.push(await readPipelineFile(file, path));
  };
  await Promise.all(Array.from({ length: OPEN_AT_ONCE }, readAll));
  return loaded.sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** The folder of pipelines for a single file: the nearest parent folder called `pipelines`, else the file's own folder. */
function folderOf(path: string): string {
  const own = dirname(resolve(path));
  for (let folder = own; dirname(folder) !== folder; folder = dirname(folder)) if (basename(folder) === 'pipelines') return folder;
  return own;
}

/**
 * Reads one file within the size limit. Never throws: `refused` contains the problem.
 * @param root the folder of pipelines, which contains the files that it names
 */
export async function readPipelineFile(path: string, root: string): Promise<PipelineFile> {
  const file = relative(process.cwd(), path);
  try {
    // Non-blocking, because the path may be a named pipe without a writer.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const about = await handle.stat();
      const { size } = about;
      if (!about.isFile()) return refusal(path, 'It is not a regular file, but a pipe, a device or a folder.');
      if (size > MAX_BYTES) {
        return {
          file,
          text: '',
          refused: {
            code: 'SL103',
            message: `The file has ${size.toLocaleString('en')} bytes; a pipeline may have at most ${MAX_BYTES.toLocaleString('en')}.`,
          },
        };
      }
      return { file, text: await handle.readFile('utf8'), readBeside: readerBeside(path, root) };
    } finally {
      await handle.close();
    }
  } catch (error) {
    return unreadable(path, 'file', error);
  }
}

/** Reads files by paths relative to the file at `path`, within the folder `root`; or within another folder of their project. */
function readerBeside(path: string, root: string): ReadBeside {
  return (given, folder) => {
    if (folder === undefined) return readWithin(given, dirname(path), { root, name: 'the folder of pipelines' });
    const inProject = join(projectOf(root).root, folder);
    return readWithin(given, inProject, { root: inProject, name: `the project's folder ${folder}/` });
  };
}

/** @param from the folder that `given` is relative to @param within the folder that contains the file, and its name for messages */
function readWithin(given: string, from: string, { root, name }: { readonly root: string; readonly name: string }): ReadText {
  if (isAbsolute(given) || /^[A-Za-z]:|[\\\0]/.test(given)) {
    return { refused: `'${given}' is not a path relative to the pipeline's file.`, hint: 'write it with /, such as sql/orders.sql' };
  }
  const target = resolve(from, given);
  const inside = relative(root, target);
  const file = relative(process.cwd(), target);
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    return {
      refused: `'${given}' is outside of ${name}.`,
      hint: `move the file into ${relative(process.cwd(), root) || 'the folder'}`,
    };
  }
  if (inside.split(sep).some((part) => part.startsWith('.')))
    return { refused: `'${given}' is a hidden file: names that start with a dot are ignored.`, hint: 'rename it' };
  try {
    if (!realpathSync(target).startsWith(realpathSync(root) + sep))
      return {
        refused: `'${given}' links to a file outside of ${name}.`,
        hint: 'move or copy the file into the folder',
      };
    return readText(target, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return { refused: `'${file}' cannot be read: ${reasonOf(error)}.` };
    const near = nearest(basename(target), namesIn(dirname(target), extname(target)));
    return {
      refused: `File '${file}' does not exist.`,
      hint:
        near === undefined
          ? from === root
            ? `put it into ${name}`
            : "write its path relative to the pipeline's file"
          : `did you mean '${join(dirname(given), near)}'?`,
    };
  }
}

function readText(path: string, file: string): ReadText {
  // Non-blocking, because the path may be a named pipe without a writer.
  const handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const about = fstatSync(handle);
    if (!about.isFile()) return { refused: `'${file}' is not a regular file, but a pipe, a device or a folder.` };
    if (about.size > MAX_BYTES) {
      const sizes = `${about.size.toLocaleString('en')} bytes; such a file may have at most ${MAX_BYTES.toLocaleString('en')}`;
      return { refused: `'${file}' has ${sizes}.`, hint: 'keep data out of it: put it into a table or S3' };
    }
    const text = textOf(readFileSync(handle));
    if (text === undefined) return { refused: `'${file}' is not text in UTF-8.`, hint: 'save it as UTF-8' };
    return text.trim() === '' ? { refused: `'${file}' is empty.` } : { file, text };
  } finally {
    closeSync(handle);
  }
}

/** Decodes a file as YAML does, without a byte order mark and with uniform line ends; undefined if it is not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll('\r\n', '\n');
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

function namesIn(folder: string, ending: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(ending));
  } catch {
    return [];
  }
}

/** Lists YAML files. Skips hidden folders: `.git`, and the targets of links in a mounted ConfigMap of Kubernetes. */
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
        else if (/\.ya?ml$/.test(entry.name) && !/\.test\.ya?ml$/.test(entry.name) && entry.name !== DEFAULTS_FILE) {
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

/** A link out of the folder could expose a file of the host in messages. @returns why a link is not followed, as a sentence */
async function whyNotFollowed(path: string, root: string): Promise<string | undefined> {
  try {
    const target = await realpath(path);
    if (target.startsWith(root + sep)) return undefined;
    return 'It links to a file outside of the folder of pipelines. Move or copy the file into the folder.';
  } catch (error) {
    return `It is a broken link: ${reasonOf(error)}.`;
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
      return 'permission denied';
    case 'ENOENT':
      return 'it no longer exists';
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open (ulimit -n)';
    default:
      return message;
  }
}
