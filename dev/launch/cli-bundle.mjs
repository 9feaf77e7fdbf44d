// Plain JavaScript: the `sluice` command runs it first.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { bundleOf } from './bundle.mjs';
import { root } from './install-packages.mjs';

/** Large or native packages, loaded from node_modules by the commands that need them. */
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
 * Runs the command in this process from its bundle: loading and compiling hundreds of TypeScript modules takes two seconds per start.
 * @returns {Promise<boolean>} false if there is no bundle
 */
export async function runCliBundle() {
  const file = await bundleOf(join(process.env.SLUICE_HOME ?? join(root, '.sluice'), 'cache'), 'cli.ts', {
    format: 'cjs',
    // Commands are loaded when called, and external packages from the repository.
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
 * Runs a bundle with V8's code cache of the last run, which halves the remaining start time. (Node 22 can do this itself; 20 is the minimum
 * version of this project.)
 */
function runCompiled(/** @type {string} */ file) {
  const compiled = `${file}.${process.arch}.v8`;
  const cachedData = existsSync(compiled) ? readFileSync(compiled) : undefined;
  // esbuild writes only ASCII.
  const script = new Script(`(function(require,module,exports){${readFileSync(file, 'latin1')}\n})`, {
    filename: file,
    ...(cachedData && { cachedData }),
  });
  if (!cachedData || script.cachedDataRejected) process.once('exit', () => keep(compiled, script.createCachedData()));
  const module = { exports: {} };
  script.runInThisContext()(createRequire(join(root, 'cli.ts')), module, module.exports);
}

/** Writes a file atomically, for concurrent readers. If that fails, the next run tries again. */
function keep(/** @type {string} */ file, /** @type {Buffer} */ data) {
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, data);
    renameSync(draft, file);
  } catch {
    rmSync(draft, { force: true });
  }
}
