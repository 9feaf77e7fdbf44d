// Plain JavaScript: the `sluice` command runs it before anything else.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { bundleOf } from './bundle.mjs';
import { root } from './install-packages.mjs';

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
];

/**
 * Runs the command in this process from its bundle: reading hundreds of TypeScript modules one by one, and compiling them, costs two seconds
 * at each start.
 * @returns {Promise<boolean>} false where there can be no bundle
 */
export async function runCliBundle() {
  const file = await bundleOf(join(process.env.SLUICE_HOME ?? join(root, '.sluice'), 'cache'), 'cli.ts', {
    format: 'cjs',
    // Commands are loaded when they are called, and packages outside of the bundle from where the repository has them.
    supported: { 'dynamic-import': false },
    minifyWhitespace: true,
    minifySyntax: true,
    external: EXTERNAL,
  });
  if (file === undefined) return false;
  runCompiled(file);
  return true;
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
