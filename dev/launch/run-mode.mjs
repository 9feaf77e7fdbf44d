// Plain JavaScript: used by dev/bootstrap.mjs and bin/sluice.mjs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleTests } from './bundle.mjs';
import { ended, start } from './child.mjs';
import { runCliBundle } from './cli-bundle.mjs';
import { hideEnvironment } from './hide-environment.mjs';
import { root } from './install-packages.mjs';
import { runLanes } from './lanes.mjs';
import { PROCESS_SETTINGS } from './process-settings.mjs';
import { runProgram } from './run-program.mjs';
import { findTestFiles } from './test-files.mjs';

/** Long-lived programs that are stopped by signals: they run in this process, also as `sluice worker`. */
const PROGRAMS = { worker: 'worker.ts', scheduler: 'scheduler.ts', dev: 'dev/dev-cli.ts' };

const MOCHA = 'node_modules/mocha/bin/mocha.js';

/** The programs of all other npm scripts. */
const MODES = {
  start: ['dev/start.ts'],
  stack: ['dev/stack-cli.ts'],
  cli: ['cli.ts'],
  test: [MOCHA],
  'test:unit': [MOCHA],
  bench: ['bench/index.ts'],
};

/** The options of Node that load TypeScript. A function: this file is loaded before the packages are installed. */
const typescript = () => ['--import', import.meta.resolve('tsx')];

/**
 * The processes of a test run without file arguments. Not in .mocharc.json: mocha would add them to the given files. `test:unit` tries
 * fewer random cases, and runs its files in four processes, because some wait. `test` runs two lanes with separate servers, because most tests mainly wait for
 * a server. Unit tests run from bundles, if those can be written.
 */
const TEST_LANES = {
  'test:unit': async () => {
    const { unit } = findTestFiles(root);
    const bundled = await bundleTests(unit);
    const mocha = bundled ? ['--enable-source-maps', MOCHA, ...optionsWithoutTypeScript()] : [...typescript(), MOCHA];
    const command = [...mocha, '--parallel', '--jobs', '4', ...(bundled ?? unit)];
    return [{ name: 'unit tests', command, environment: { SLUICE_CHAOS: 'quick' } }];
  },
  test: async () => {
    const { unit, withServers } = findTestFiles(root);
    const [cases, others] = [withServers.filter(isSecondLane), withServers.filter((file) => !isSecondLane(file))];
    const mocha = [...typescript(), MOCHA];
    return [
      { name: 'tests with servers', command: [...mocha, ...others] },
      {
        name: 'unit tests, test/cases, test/chaos and test/monitors',
        command: [...mocha, ...((await bundleTests(unit)) ?? unit), ...cases],
        environment: { SLUICE_TEST_STACK: 'test-2' },
      },
    ];
  },
};
const isSecondLane = (/** @type {string} */ file) => /^test\/(cases|chaos|monitors)\//.test(file);

/** The options in .mocharc.json, without the modules that it loads: they are TypeScript, and only needed by tests with servers. */
function optionsWithoutTypeScript() {
  const options = Object.entries(JSON.parse(readFileSync(join(root, '.mocharc.json'), 'utf8'))).filter(([name]) => name !== 'require');
  return ['--no-config', ...options.map(([name, value]) => `--${name}=${value}`)];
}

/**
 * Runs the command in this process: a second process would double the time of a short command.
 * @param {readonly string[]} args
 * @returns {Promise<boolean>} false if that is not possible
 */
function runCli(args) {
  process.argv.splice(1, process.argv.length, join(root, 'cli.ts'), ...args);
  return runCliBundle();
}

/**
 * Runs the program of a mode and exits with its exit code.
 * @param {string} mode
 * @param {readonly string[]} args
 */
export async function runMode(mode, args) {
  const modes = { ...MODES, ...PROGRAMS };
  if (!Object.hasOwn(modes, mode)) throw new Error(`no such mode: ${mode || '(none)'}; the modes are ${Object.keys(modes).join(', ')}`);
  const [command = '', ...rest] = args;
  if (mode === 'cli' && (Object.hasOwn(PROGRAMS, command) || command === 'stack')) return runMode(command, rest);
  Object.assign(process.env, PROCESS_SETTINGS);
  hideEnvironment();
  if (Object.hasOwn(PROGRAMS, mode)) return runProgram(PROGRAMS[/** @type {keyof typeof PROGRAMS} */ (mode)], args);
  if (mode === 'cli' && (await runCli(args))) return;
  const [program = '', ...first] = MODES[/** @type {keyof typeof MODES} */ (mode)];
  // `sluice` runs in the folder of the caller, because paths are relative to it. npm scripts run in the root anyway.
  const node = [...typescript(), join(root, program), ...first, ...args];
  const hasFiles = args.some((arg) => arg.includes('.test.ts'));
  if (!Object.hasOwn(TEST_LANES, mode)) process.exit(await ended(start(node)));
  if (hasFiles) process.exit(Math.min(await ended(start(node)), 1));
  const colors = process.stdout.isTTY ? ['--color'] : [];
  const lanes = await TEST_LANES[/** @type {keyof typeof TEST_LANES} */ (mode)]();
  const code = await runLanes(lanes.map(({ command: own, ...lane }) => ({ ...lane, command: [...own, ...colors, ...args] })));
  // Exiting before a pipe has taken all output would lose the rest.
  process.stdout.write('', () => process.exit(code));
}
