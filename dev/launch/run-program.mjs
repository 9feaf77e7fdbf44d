// Plain JavaScript: runs before TypeScript can be loaded. `node dev/launch/run-program.mjs <program> …` runs any program.
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleOf, CACHE, MODULES } from './bundle.mjs';
import { hideEnvironment } from './hide-environment.mjs';
import { root } from './install-packages.mjs';

/**
 * Runs a long-lived program in this process from a bundle: loading its TypeScript module by module takes 25 MB and two seconds more.
 * @param {string} program its file, relative to the root
 * @param {readonly string[]} args
 */
export async function runProgram(program, args) {
  hideEnvironment();
  process.argv.splice(1, process.argv.length, join(root, program), ...args);
  const file = await bundleOf(CACHE, program, MODULES);
  if (file !== undefined) process.setSourceMapsEnabled(true);
  else await import('tsx');
  await import(pathToFileURL(file ?? join(root, program)).href);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , program = '', ...args] = process.argv;
  await runProgram(program, args);
}
