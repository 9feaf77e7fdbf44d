// Plain JavaScript: the `sluice` command runs it first.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

/**
 * Runs a bundle with V8's code cache of the last run, which halves the remaining start time. (Node 22 can do this itself; 20 is the minimum
 * version of this project.)
 * @param {string} file a CommonJS bundle
 * @param {string} [importer] the file whose packages it loads; default: `file`
 */
export function runCompiled(file, importer = file) {
  const compiled = `${file}.${process.arch}.v8`;
  const cachedData = existsSync(compiled) ? readFileSync(compiled) : undefined;
  // esbuild writes only ASCII.
  const script = new Script(`(function(require,module,exports,__dirname){${readFileSync(file, 'latin1')}\n})`, {
    filename: file,
    ...(cachedData && { cachedData }),
  });
  if (!cachedData || script.cachedDataRejected) process.once('exit', () => keep(compiled, script.createCachedData()));
  const module = { exports: {} };
  const load = createRequire(importer);
  // `import()` of a file: URL is compiled to require(), which takes only paths.
  const require = (/** @type {string} */ name) => load(name.startsWith('file:') ? fileURLToPath(name) : name);
  script.runInThisContext()(Object.assign(require, load), module, module.exports, dirname(file));
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
