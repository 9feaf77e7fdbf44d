// Plain JavaScript: runs before Sluice's programs.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './install-packages.mjs';

/**
 * The sources of programs besides their main file, and the code that bundles them. `test/house/imports.test.ts` compares this with their
 * imports.
 */
export const SOURCES = [
  'cli',
  'compiler',
  'activities',
  'sensors',
  'monitors',
  'channels',
  'connections',
  'project',
  'resources',
  'index.ts',
  'workflows',
  'graph',
  'temporal',
  'lib',
  'dev/launch/bundle.mjs',
  'dev/launch/cli-bundle.mjs',
  'dev/launch/run-program.mjs',
  'package.json',
];
/** Additional sources of developer programs, which are in folders. */
const OF_DEVELOPERS = ['worker.ts', 'dev', 'bench', 'test/support'];
/** Additional sources of tests. */
const OF_TESTS = [...readdirSync(root).filter((name) => name.endsWith('.ts')), 'bin', 'dev', 'bench', 'test'];

/** A package of hundreds of small modules: bundling it saves 20 MB. All other packages are loaded from node_modules. */
const BUNDLED = /^typebox(\/|$)/;

/** The folder of bundles. */
export const CACHE = join(root, 'node_modules', '.cache', 'sluice');

/** Options for ES modules whose stack traces point to the TypeScript sources. @type {import('esbuild').BuildOptions} */
export const MODULES = { format: 'esm', sourcemap: 'linked', plugins: [{ name: 'packages', setup: leavePackages }] };

/**
 * Bundles a program into one JavaScript file, if its TypeScript has changed.
 * @param {string} folder for the bundles
 * @param {string} program its file, relative to the root
 * @param {import('esbuild').BuildOptions} options
 * @returns {Promise<string | undefined>} the file, or undefined if it cannot be written
 */
export async function bundleOf(folder, program, options) {
  // Distinguish `worker.ts` from `bench/runs/worker.ts`.
  const name = program.replace(/\.ts$/, '').replaceAll('/', '-');
  const file = `${basename(program, '.ts')}.${options.format === 'esm' ? 'mjs' : 'cjs'}`;
  const sources = [program, ...SOURCES, ...(program.includes('/') ? OF_DEVELOPERS : [])];
  const bundle = await keepBundle(join(folder, `${name}-${sourceKey(sources)}`), file, (building) =>
    build({ ...options, entryPoints: [join(root, program)], outfile: join(building, file) }),
  );
  return bundle && join(bundle, file);
}

/**
 * Bundles test files into one JavaScript file each, and their imports into files that they share, if any TypeScript has changed. Importing
 * a thousand modules one by one takes longer than most tests.
 * @param {readonly string[]} files paths relative to the root
 * @returns {Promise<readonly string[] | undefined>} the bundled files, in the same order; undefined if they cannot be written
 */
export async function bundleTests(files) {
  const outputOf = (/** @type {string} */ file) => file.replace(/\.ts$/, '.mjs');
  const key = sourceKey([...SOURCES, ...OF_TESTS]);
  const bundle = await keepBundle(join(CACHE, `unit-tests-${key}`), outputOf(files[0] ?? ''), (building) =>
    build({
      ...MODULES,
      entryPoints: files.map((file) => join(root, file)),
      outdir: building,
      outbase: root,
      outExtension: { '.js': '.mjs' },
      splitting: true,
      // Names of classes are in error messages and in data on the wire.
      keepNames: true,
    }),
  );
  return bundle && files.map((file) => join(bundle, outputOf(file)));
}

/**
 * Returns a folder of bundled files, which `make` writes unless it exists. Removes the folders of earlier sources.
 * @param {string} bundle the folder: a name, `-`, and a hash of the sources
 * @param {string} entry one of its files
 * @param {(building: string) => Promise<void>} make
 * @returns {Promise<string | undefined>} undefined if it cannot be written
 */
async function keepBundle(bundle, entry, make) {
  const exists = () => existsSync(join(bundle, entry));
  if (exists()) return bundle;
  const building = `${bundle}.${process.pid}`;
  try {
    mkdirSync(dirname(bundle), { recursive: true, mode: 0o700 });
  } catch (error) {
    return withoutBundle(error);
  }
  try {
    await make(building);
    // If two processes bundle concurrently, the second finds the first's bundle, which is identical.
    if (!exists()) renameSync(building, bundle);
    removeOthers(bundle);
    return bundle;
  } catch (error) {
    if (exists()) return bundle;
    return withoutBundle(error);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

/** Ignores a read-only checkout or a full disk: the program starts more slowly, but works. */
function withoutBundle(/** @type {unknown} */ error) {
  if (process.env.SLUICE_DEBUG) console.error(error);
  return undefined;
}

/** Hashes the modification times and sizes of all source files, which takes a few milliseconds. */
function sourceKey(/** @type {readonly string[]} */ sources) {
  const hash = createHash('sha256').update(process.version);
  const add = (/** @type {string} */ path) => {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  };
  add(join(root, 'package-lock.json'));
  for (const source of sources) {
    const path = join(root, source);
    const found = statSync(path, { throwIfNoEntry: false });
    // An image may omit developer files.
    if (!found) continue;
    if (!found.isDirectory()) add(path);
    else
      for (const name of readdirSync(path, { recursive: true }).map(String).sort()) if (/\.[cm]?[tj]s$/.test(name)) add(join(path, name));
  }
  return hash.digest('hex').slice(0, 16);
}

async function build(/** @type {import('esbuild').BuildOptions} */ options) {
  const { build: bundle, stop } = await import('esbuild');
  await bundle({
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
    ...options,
    plugins: [...(options.plugins ?? []), { name: 'places', setup: keepPlaces }],
  });
  // esbuild's process would keep running with this environment, where programs of tasks can read it.
  await stop();
}

/** Leaves packages in node_modules, except those in BUNDLED. */
export function leavePackages(/** @type {import('esbuild').PluginBuild} */ build) {
  build.onResolve({ filter: /^[^./]/ }, ({ path, importer }) =>
    BUNDLED.test(path) || BUNDLED.test(importer.split('node_modules/').at(-1) ?? '') ? undefined : { path, external: true },
  );
}

/** Keeps the original module paths in `import.meta`. */
function keepPlaces(/** @type {import('esbuild').PluginBuild} */ build) {
  build.onLoad({ filter: /\.(ts|mjs)$/ }, ({ path }) => {
    if (path.includes('node_modules')) return undefined;
    const text = readFileSync(path, 'utf8');
    if (!text.includes('import.meta.')) return undefined;
    const places = { url: pathToFileURL(path).href, dirname: dirname(path), filename: path };
    const contents = text.replace(/\bimport\.meta\.(url|dirname|filename)\b/g, (_, name) =>
      JSON.stringify(places[/** @type {keyof typeof places} */ (name)]),
    );
    return { contents, loader: path.endsWith('.ts') ? 'ts' : 'js' };
  });
}

/** Removes bundles of earlier sources; running programs have already loaded theirs. */
function removeOthers(/** @type {string} */ bundle) {
  const [folder, kept] = [dirname(bundle), basename(bundle)];
  const old = new RegExp(`^${kept.replace(/-[0-9a-f]{16}$/, '')}-[0-9a-f]{16}$`);
  for (const each of readdirSync(folder)) if (old.test(each) && each !== kept) rmSync(join(folder, each), { recursive: true, force: true });
}
