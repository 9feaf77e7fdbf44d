// Plain JavaScript: dev/bootstrap.mjs uses it before TypeScript can be loaded.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** Modules that start servers, or workers of a server. */
const SERVER_MODULES = ['test/support/test-stack.ts', 'test/support/temporal-worker.ts', 'dev/stack.ts'];
/** Type-checks the whole repository, which takes as long as many unit tests. */
const TYPE_CHECK_MODULE = 'test/support/type-check.ts';
/** A test that starts processes may need any server. */
const PROCESS_MODULE = 'node:child_process';
/** Imports of values; type imports are erased at run time. */
const IMPORT = /^(?:import|export) (?!type )[^;]*?from '([^']+)'|\bimport\('([^']+)'\)|^import '([^']+)'/gm;

/**
 * Divides test files by their direct and indirect imports: a file needs servers if it imports a module that starts them, or if it or an
 * imported module of `test/` starts processes. Type checks run with those. All other files are unit tests.
 * @param {string} folder the root of the repository
 * @returns {import('./test-files.d.mts').TestFiles} paths relative to the root, sorted
 */
export function findTestFiles(folder) {
  const importsOf = createReader(folder);
  const needsServers = (/** @type {string} */ test) => {
    const reached = new Set([test]);
    for (const file of reached) {
      if (SERVER_MODULES.includes(file) || file === TYPE_CHECK_MODULE) return true;
      const imports = importsOf(file);
      if (file.startsWith('test/') && imports.includes(PROCESS_MODULE)) return true;
      for (const each of imports) if (isOwnModule(each)) reached.add(each);
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

/**
 * The number of imports between each test file and a module; omits test files that do not import it.
 * @param {string} folder the root of the repository
 * @param {readonly string[]} tests
 * @param {string} module
 * @returns {Map<string, number>}
 */
export function distancesTo(folder, tests, module) {
  const importsOf = createReader(folder);
  const distanceFrom = (/** @type {string} */ test) => {
    const distances = new Map([[test, 0]]);
    for (const [file, distance] of distances) {
      if (file === module) return distance;
      for (const each of importsOf(file)) if (isOwnModule(each) && !distances.has(each)) distances.set(each, distance + 1);
    }
    return undefined;
  };
  return new Map(
    tests.flatMap((test) => {
      const distance = distanceFrom(test);
      return distance === undefined ? [] : [[test, distance]];
    }),
  );
}

const isOwnModule = (/** @type {string} */ name) => /^[^.].*\.m?ts$/.test(name);

/** Reads the imports of each file once. */
function createReader(/** @type {string} */ folder) {
  /** @type {Map<string, readonly string[]>} */
  const known = new Map();
  return (/** @type {string} */ file) => {
    const found = known.get(file) ?? readImports(folder, file);
    known.set(file, found);
    return found;
  };
}

/** The modules that a file imports: its own as paths from the root, packages by name. Skips text that only looks like an import. */
function readImports(/** @type {string} */ folder, /** @type {string} */ file) {
  const path = join(folder, file);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return [...text.matchAll(IMPORT)].map((match) => {
    const path = match[1] ?? match[2] ?? match[3] ?? '';
    return path.startsWith('.') ? posix.join(posix.dirname(file), path) : path;
  });
}
