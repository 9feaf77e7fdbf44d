// The `sluice` command of an installed package: the build makes dist/launch.js from it.
import { fileURLToPath } from 'node:url';
import { hideEnvironment } from './hide-environment.mjs';
import { PROCESS_SETTINGS } from './process-settings.mjs';
import { runCompiled } from './run-compiled.mjs';

/** Programs besides the command: each is a module in dist/. */
const PROGRAMS = ['worker', 'scheduler', 'dev', 'stack'];

Object.assign(process.env, PROCESS_SETTINGS);
hideEnvironment();
const file = (/** @type {string} */ name) => new URL(`../../${name}`, import.meta.url);
const program = PROGRAMS.find((name) => name === process.argv[2]);
if (program === undefined) {
  runCompiled(fileURLToPath(file('cli.cjs')));
} else {
  const { href } = file(`${program}.js`);
  process.argv.splice(1, 2, fileURLToPath(href));
  await import(href);
}
