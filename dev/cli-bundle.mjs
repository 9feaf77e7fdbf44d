// Plain JavaScript: the `sluice` command runs it before anything else.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { root } from './install-packages.mjs';

/** What the command is made of. */
const SOURCES = ['cli.ts', 'cli', 'compiler', 'activities', 'sensors', 'monitors', 'workflows', 'temporal', 'lib'];
/** Packages that are large or have parts in other languages are loaded from node_modules, by the commands that need them. */
const EXTERNAL = [
  '@temporalio/*',
  '@aws-sdk/*',
  'pg',
  'pg-copy-streams',
  'mysql2',
  '@duckdb/*',
  'kafkajs',
  'protobufjs',
  'typescript',
  'amqplib',
  'avsc',
  '@platformatic/wasm-utils',
];

/**
 * Runs the command in this process from its bundle: reading hundreds of TypeScript modules one by one, and compiling them, costs two seconds
 * at each start.
 * @returns {Promise<boolean>} false where there can be no bundle
 */
export async function runCliBundle() {
  const file = await cliBundle();
  if (file === undefined) return false;
  runCompiled(file);
  return true;
}

/**
 * The command as one JavaScript file, made of its TypeScript when that has changed.
 * @returns {Promise<string | undefined>} the file, or undefined where none can be written
 */
async function cliBundle() {
  const folder = join(process.env.SLUICE_HOME ?? join(root, '.sluice'), 'cache');
  const bundle = join(folder, `cli-${sourceKey()}`);
  const entry = join(bundle, 'cli.cjs');
  if (existsSync(entry)) return entry;
  const building = `${bundle}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    return withoutBundle(error);
  }
  try {
    await build(building);
    // Two at once: the second finds the first's, which is the same.
    if (!existsSync(entry)) renameSync(building, bundle);
    removeOthers(folder, basename(bundle));
    return entry;
  } catch (error) {
    if (existsSync(entry)) return entry;
    return withoutBundle(error);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

/** A read-only checkout, or a full disk: the command is slower, and it works. */
function withoutBundle(/** @type {unknown} */ error) {
  if (process.env.SLUICE_DEBUG) console.error(error);
  return undefined;
}

/** Changes with every source file; told by looking at the files' times and sizes, which takes a few milliseconds. */
function sourceKey() {
  const hash = createHash('sha256').update(process.version);
  const look = (/** @type {string} */ path) => {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  };
  look(join(root, 'package-lock.json'));
  look(fileURLToPath(import.meta.url));
  for (const source of SOURCES) {
    const path = join(root, source);
    if (!statSync(path).isDirectory()) look(path);
    else for (const name of readdirSync(path, { recursive: true }).map(String).sort()) if (name.endsWith('.ts')) look(join(path, name));
  }
  return hash.digest('hex').slice(0, 16);
}

async function build(/** @type {string} */ folder) {
  const { build: bundle } = await import('esbuild');
  await bundle({
    entryPoints: [join(root, 'cli.ts')],
    absWorkingDir: root,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    // Commands are loaded when they are called, and packages outside of the bundle from where the repository has them.
    supported: { 'dynamic-import': false },
    minifyWhitespace: true,
    minifySyntax: true,
    outfile: join(folder, 'cli.cjs'),
    external: EXTERNAL,
    logLevel: 'silent',
    plugins: [{ name: 'places', setup: keepPlaces }],
  });
}

/**
 * Runs a bundle with the machine code that V8 made of it the last time, as far as it was used: half of what is left of a start is compiling.
 * (Node 22 can do this by itself; 20 is this project's floor.)
 */
function runCompiled(/** @type {string} */ file) {
  const compiled = `${file}.${process.arch}.v8`;
  const cachedData = existsSync(compiled) ? readFileSync(compiled) : undefined;
  // esbuild writes nothing but ASCII.
  const script = new Script(`(function(require,module,exports){${readFileSync(file, 'latin1')}\n})`, {
    filename: file,
    ...(cachedData && { cachedData }),
  });
  if (!cachedData || script.cachedDataRejected) process.once('exit', () => keep(compiled, script.createCachedData()));
  const module = { exports: {} };
  script.runInThisContext()(createRequire(join(root, 'cli.ts')), module, module.exports);
}

/** Writes a file that others read at any time. One that cannot be written is made again the next time. */
function keep(/** @type {string} */ file, /** @type {Buffer} */ data) {
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, data);
    renameSync(draft, file);
  } catch {
    rmSync(draft, { force: true });
  }
}

/** Modules go on knowing where they stand in the repository. */
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

/** Bundles of what the sources were before; a command that runs has loaded what it needs. */
function removeOthers(/** @type {string} */ folder, /** @type {string} */ kept) {
  for (const name of readdirSync(folder)) {
    if (/^cli-[0-9a-f]{16}$/.test(name) && name !== kept) rmSync(join(folder, name), { recursive: true, force: true });
  }
}
