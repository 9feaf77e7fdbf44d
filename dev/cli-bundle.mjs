// Plain JavaScript: the `sluice` command runs it before anything else.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './install-packages.mjs';

/** What the command is made of. */
const SOURCES = ['cli.ts', 'cli', 'compiler', 'activities', 'sensors', 'monitors', 'workflows', 'temporal', 'lib'];
/** Packages that are large or have parts in other languages are loaded from node_modules, by the commands that need them. */
const EXTERNAL = ['@temporalio/*', '@aws-sdk/*', 'pg', 'pg-copy-streams', 'kafkajs', 'protobufjs', 'typescript'];

/**
 * The command as a few JavaScript files, made of its TypeScript when that has changed: reading hundreds of modules one by one, and
 * compiling them, costs two seconds at each start.
 * @returns {Promise<string | undefined>} the file to run, or undefined where none can be written
 */
export async function cliBundle() {
  const folder = join(process.env.SLUICE_HOME ?? join(root, '.sluice'), 'cache');
  const bundle = join(folder, `cli-${sourceKey()}`);
  const entry = join(bundle, 'cli.js');
  if (existsSync(entry)) return entry;
  const building = `${bundle}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true });
    await build(building);
    // Two at once: the second finds the first's, which is the same.
    if (!existsSync(entry)) renameSync(building, bundle);
    removeOthers(folder, basename(bundle));
    return entry;
  } catch (error) {
    // A read-only checkout, or a full disk: slower, and it works.
    if (existsSync(entry)) return entry;
    if (process.env.SLUICE_DEBUG) console.error(error);
    return undefined;
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

/** Changes with every source file; told by looking at the files' times and sizes, which takes a few milliseconds. */
function sourceKey() {
  const hash = createHash('sha256').update(process.version);
  const look = (/** @type {string} */ path) => {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  };
  look(join(root, 'package-lock.json'));
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
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minifyWhitespace: true,
    minifySyntax: true,
    outdir: folder,
    external: EXTERNAL,
    logLevel: 'silent',
    // Packages that are CommonJS ask for Node's own modules with `require`.
    banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
    plugins: [{ name: 'places', setup: keepPlaces }],
  });
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
