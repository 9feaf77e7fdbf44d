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
  const bundle = join(folder, `${name}-${sourceKey(program)}`);
  const entry = join(bundle, `${basename(program, '.ts')}.${options.format === 'esm' ? 'mjs' : 'cjs'}`);
  if (existsSync(entry)) return entry;
  const building = `${bundle}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    return withoutBundle(error);
  }
  try {
    await build(join(building, basename(entry)), program, options);
    // If two processes bundle concurrently, the second finds the first's bundle, which is identical.
    if (!existsSync(entry)) renameSync(building, bundle);
    removeOthers(folder, name, basename(bundle));
    return entry;
  } catch (error) {
    if (existsSync(entry)) return entry;
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
function sourceKey(/** @type {string} */ program) {
  const hash = createHash('sha256').update(process.version);
  const look = (/** @type {string} */ path) => {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  };
  look(join(root, 'package-lock.json'));
  for (const source of [program, ...SOURCES, ...(program.includes('/') ? OF_DEVELOPERS : [])]) {
    const path = join(root, source);
    const found = statSync(path, { throwIfNoEntry: false });
    // An image may omit developer files.
    if (!found) continue;
    if (!found.isDirectory()) look(path);
    else
      for (const name of readdirSync(path, { recursive: true }).map(String).sort()) if (/\.[cm]?[tj]s$/.test(name)) look(join(path, name));
  }
  return hash.digest('hex').slice(0, 16);
}

async function build(/** @type {string} */ outfile, /** @type {string} */ program, /** @type {import('esbuild').BuildOptions} */ options) {
  const { build: bundle, stop } = await import('esbuild');
  await bundle({
    entryPoints: [join(root, program)],
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    outfile,
    logLevel: 'silent',
    ...options,
    plugins: [...(options.plugins ?? []), { name: 'places', setup: keepPlaces }],
  });
  // esbuild's process would keep running with this environment, where programs of tasks can read it.
  await stop();
}

/** Keeps the original module paths in `import.meta`. */
function keepPlaces(/** @type {import('esbuild').PluginBuild} */ build) {
  build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
    if (path.includes('node_modules')) return undefined;
    const text = readFileSync(path, 'utf8');
    if (!text.includes('import.meta.')) return undefined;
    const places = { url: pathToFileURL(path).href, dirname: dirname(path), filename: path };
    const contents = text.replace(/\bimport\.meta\.(url|dirname|filename)\b/g, (_, name) =>
      JSON.stringify(places[/** @type {keyof typeof places} */ (name)]),
    );
    return { contents, loader: 'ts' };
  });
}

/** Removes bundles of earlier sources; running programs have already loaded theirs. */
function removeOthers(/** @type {string} */ folder, /** @type {string} */ name, /** @type {string} */ kept) {
  const old = new RegExp(`^${name}-[0-9a-f]{16}$`);
  for (const each of readdirSync(folder)) if (old.test(each) && each !== kept) rmSync(join(folder, each), { recursive: true, force: true });
}
