// Plain JavaScript: dev/bootstrap.mjs uses it before TypeScript can be read.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** Modules that start servers. */
const SERVER_MODULES = ['test/support/test-stack.ts', 'dev/stack.ts'];
/** A test that starts a process itself may start anything. */
const PROCESS_MODULE = 'node:child_process';
/** Imports of values; those of types leave no trace at run time. */
const IMPORT = /^(?:import|export) (?!type )[^;]*?from '([^']+)'|\bimport\('([^']+)'\)|^import '([^']+)'/gm;

/**
 * Divides the test files by what they import, directly or through other modules: a file needs servers when it reaches a module that
 * starts them, or when it or a module of `test/` that it reaches starts processes. All other files are unit tests.
 * @param {string} folder the root of the repository
 * @returns {import('./test-files.d.mts').TestFiles} paths from the root, sorted
 */
export function findTestFiles(folder) {
  /** @type {Map<string, readonly string[]>} */
  const known = new Map();
  const importsOf = (/** @type {string} */ file) => {
    const found = known.get(file) ?? readImports(folder, file);
    known.set(file, found);
    return found;
  };
  const needsServers = (/** @type {string} */ test) => {
    const reached = new Set([test]);
    for (const file of reached) {
      if (SERVER_MODULES.includes(file)) return true;
      const imports = importsOf(file);
      if (file.startsWith('test/') && imports.includes(PROCESS_MODULE)) return true;
      for (const each of imports) if (/^[^.].*\.m?ts$/.test(each)) reached.add(each);
    }
    return false;
  };
  const files = readdirSync(join(folder, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${name}`)
    .sort();
  const withServers = files.filter(needsServers);
  return { unit: files.filter((file) => !withServers.includes(file)), withServers };
}

/** The modules that a file imports: its own with paths from the root, packages by their names. None where a text only looks like an import. */
function readImports(/** @type {string} */ folder, /** @type {string} */ file) {
  const path = join(folder, file);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return [...text.matchAll(IMPORT)].map((match) => {
    const path = match[1] ?? match[2] ?? match[3] ?? '';
    return path.startsWith('.') ? posix.join(posix.dirname(file), path) : path;
  });
}
