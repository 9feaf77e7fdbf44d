// Plain JavaScript: runs before TypeScript can be loaded. `node dev/launch/run-program.mjs <program> …` runs any program.
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleOf } from './bundle.mjs';
import { hideEnvironment } from './hide-environment.mjs';
import { root } from './install-packages.mjs';

/** A package of hundreds of small modules: bundling it saves 20 MB. All other packages are loaded from node_modules. */
const BUNDLED = /^typebox(\/|$)/;

/**
 * Runs a long-lived program in this process from a bundle: loading its TypeScript module by module takes 25 MB and two seconds more.
 * @param {string} program its file, relative to the root
 * @param {readonly string[]} args
 */
export async function runProgram(program, args) {
  hideEnvironment();
  process.argv.splice(1, process.argv.length, join(root, program), ...args);
  const file = await bundleOf(join(root, 'node_modules', '.cache', 'sluice'), program, {
    format: 'esm',
    // Stack traces of tasks point to the TypeScript sources.
    sourcemap: 'linked',
    plugins: [{ name: 'packages', setup: leavePackages }],
  });
  if (file !== undefined) process.setSourceMapsEnabled(true);
  else await import('tsx');
  await import(pathToFileURL(file ?? join(root, program)).href);
}

/** Leaves packages in node_modules, except those in BUNDLED. */
export function leavePackages(/** @type {import('esbuild').PluginBuild} */ build) {
  build.onResolve({ filter: /^[^./]/ }, ({ path, importer }) =>
    BUNDLED.test(path) || BUNDLED.test(importer.split('node_modules/').at(-1) ?? '') ? undefined : { path, external: true },
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , program = '', ...args] = process.argv;
  await runProgram(program, args);
}
