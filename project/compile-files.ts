import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildFailure, BuildOptions, Loader, Message, PluginBuild } from 'esbuild';
import { PACKAGE } from '../lib/roots.ts';
import { ProjectError, refuseProject } from './project-error.ts';

/** Compiled files of other contents are kept this long, in milliseconds: a process that still runs may load parts of them. */
const KEPT_MS = 7 * 86_400_000;

/** Where compiled files find what they import from 'sluice': the modules of this process, and not another copy of them. */
export const API = Symbol.for('sluice.api');

/**
 * Compiles TypeScript files of a project to JavaScript modules, which export the namespace of the file as `file`. Modules that several files
 * import exist once. Packages are not compiled: they are loaded from the project's node_modules.
 * The result is cached in `.sluice/cache/` of the project until a file, or a file that it imports, changes.
 * @param root the project
 * @param files paths relative to `root`
 * @param apiNames what `sluice` exports
 * @returns the folder of the compiled files, each at the path of its source with `.mjs` after it; the name of the folder is a hash of all
 * @throws ProjectError with the location of each syntax error and import that cannot be resolved
 */
export async function compileFiles(root: string, files: readonly string[], apiNames: readonly string[]): Promise<string> {
  const cache = cacheOf(root);
  const keyOf = (inputs: readonly string[], read?: ReadonlyMap<string, string>): string =>
    hashOf(root, [...files, ...apiNames], inputs, read);
  const kept = join(cache, keyOf(await compiledInputs(root)));
  if (existsSync(kept)) return kept;
  const draft = join(cache, `draft-${process.pid}-${performance.now()}`);
  try {
    await mkdir(draft, { recursive: true });
    const { inputs, read } = await build(root, files, apiNames, draft);
    const compiled = join(cache, keyOf(inputs, read));
    // Another process may have compiled the same files meanwhile.
    await rename(draft, compiled).catch((error: unknown) => {
      if (!existsSync(compiled)) throw error;
    });
    await writeFile(`${draft}.json`, JSON.stringify(inputs));
    await rename(`${draft}.json`, inputsFile(cache));
    await removeOld(cache, compiled);
    return compiled;
  } catch (error) {
    if (error instanceof ProjectError || !(error instanceof Error && 'syscall' in error)) throw error;
    throw new ProjectError(
      `${cache} cannot be written: ${error.message}. The compiled files of the project are kept there. Make it writable, or run ` +
        '`sluice validate` where it is, such as when an image is built: later processes only read it.',
    );
  } finally {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** The files that were compiled last, relative to the root: those with definitions, and those that they import. */
export async function compiledInputs(root: string): Promise<readonly string[]> {
  const text = await readFile(inputsFile(cacheOf(root)), 'utf8').catch(() => '[]');
  return JSON.parse(text) as string[];
}

const cacheOf = (root: string): string => join(root, '.sluice', 'cache', 'definitions');
const inputsFile = (cache: string): string => join(cache, 'inputs.json');

interface Built {
  /** The files that were compiled, relative to the root. */
  readonly inputs: readonly string[];
  /** Their texts at that time, by absolute path: a file may have been edited since. */
  readonly read: ReadonlyMap<string, string>;
}

async function build(root: string, files: readonly string[], apiNames: readonly string[], outdir: string): Promise<Built> {
  const { build: bundle, stop } = await import('esbuild');
  const read = new Map<string, string>();
  const options = {
    entryPoints: files.map((file) => ({ in: `exported:${file}`, out: file })),
    absWorkingDir: root,
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: 'linked',
    logLevel: 'silent',
    plugins: [
      { name: 'files', setup: (build) => exportFiles(build, root) },
      { name: 'sluice', setup: (build) => provideApi(build, apiNames) },
      { name: 'texts', setup: (build) => readTexts(build, read) },
    ],
  } satisfies BuildOptions;
  try {
    const { metafile } = await bundle(options);
    return { inputs: Object.keys(metafile.inputs).filter((input) => existsSync(join(root, input))), read };
  } catch (error) {
    const { errors } = error as Partial<BuildFailure>;
    if (!errors) throw error;
    return refuseProject(errors.map(locate));
  } finally {
    // esbuild's process would keep running with this environment, where programs of tasks can read it.
    await stop();
  }
}

/** Each output exports the namespace of one file under a name: `import()` that is compiled to `require()` has another `default`. */
function exportFiles(build: PluginBuild, root: string): void {
  build.onResolve({ filter: /^exported:/ }, ({ path }) => ({ path: path.slice('exported:'.length), namespace: 'exported' }));
  build.onLoad({ filter: /.*/, namespace: 'exported' }, ({ path }) => ({
    contents: `export * as file from ${JSON.stringify(join(root, path))};`,
    resolveDir: root,
  }));
}

/** Exports by name, so that esbuild reports a name that `sluice` does not export. */
function provideApi(build: PluginBuild, names: readonly string[]): void {
  build.onResolve({ filter: /^sluice$/ }, ({ path }) => ({ path, namespace: 'sluice' }));
  build.onLoad({ filter: /.*/, namespace: 'sluice' }, () => ({
    contents: `export const { ${names.join(', ')} } = globalThis[Symbol.for(${JSON.stringify(Symbol.keyFor(API))})];`,
  }));
}

/** Records what is compiled, and keeps the original paths in `import.meta` for files that read others beside them. */
function readTexts(build: PluginBuild, read: Map<string, string>): void {
  build.onLoad({ filter: /\.[cm]?[jt]s$/, namespace: 'file' }, ({ path }) => {
    const text = readFileSync(path, 'utf8');
    read.set(path, text);
    const places = { url: pathToFileURL(path).href, dirname: dirname(path), filename: path };
    const contents = text.replace(/\bimport\.meta\.(url|dirname|filename)\b/g, (_, name: keyof typeof places) =>
      JSON.stringify(places[name]),
    );
    return { contents, loader: extname(path).replace(/^\.[cm]?/, '') as Loader };
  });
}

/** An error of esbuild with its place: `tasks/greet.ts:3:7`. */
function locate({ text, location, notes }: Message): string {
  const more = notes.map((note) => ` ${note.text}`).join('');
  if (!location) return `${text}.${more}`;
  const { file, line, column, lineText } = location;
  return `${file}:${line}:${column + 1} ${text}.${more}\n    ${lineText}\n    ${' '.repeat(column)}^`;
}

/** A hash of the contents of `inputs`, the names and this release. @param read contents by path; default: those on the disk */
function hashOf(root: string, names: readonly string[], inputs: readonly string[], read: ReadonlyMap<string, string> = new Map()): string {
  const hash = createHash('sha256').update(`${process.version}\n${packageVersion()}\n${names.join('\n')}\n`);
  for (const input of [...inputs].sort()) {
    const path = join(root, input);
    hash.update(`\n${input}\n`).update(read.get(path) ?? (existsSync(path) ? readFileSync(path, 'utf8') : 'missing'));
  }
  return hash.digest('hex').slice(0, 16);
}

function packageVersion(): string {
  return (JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string }).version;
}

async function removeOld(cache: string, current: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const path = join(cache, name);
    if (path === current || !/^[0-9a-f]{16}$/.test(name)) continue;
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > KEPT_MS) await rm(path, { recursive: true, force: true });
  }
}
