// Plain JavaScript: dev/bootstrap.mjs and dev/sluice.mjs use it.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { runCliBundle } from './cli-bundle.mjs';
import { hideEnvironment } from './hide-environment.mjs';
import { root } from './install-packages.mjs';
import { runProgram } from './run-program.mjs';

/** What is long-lived, and is told to stop by signals: it runs in this process. */
const PROGRAMS = { worker: 'worker.ts', scheduler: 'scheduler.ts' };

/** What each other npm script runs. */
const MODES = {
  start: ['dev/start.ts'],
  stack: ['dev/stack-cli.ts'],
  cli: ['cli.ts'],
  test: ['node_modules/mocha/bin/mocha.js'],
  'test:unit': ['node_modules/mocha/bin/mocha.js'],
  bench: ['bench/index.ts'],
};

/**
 * The files of a test run that names none. Not in .mocharc.json: mocha would add them to those that are named. Each list is run by a
 * process of its own, on servers of its own, beside the others: most tests wait for a server for most of their time.
 */
const SPECS = {
  test: [['test/!(chaos|cases)/**/*.test.ts'], ['test/chaos/**/*.test.ts', 'test/cases/**/*.test.ts']],
  'test:unit': [
    [
      'test/compiler/**/*.test.ts',
      'test/workflows/plan/**/*.test.ts',
      'test/workflows/run/**/*.test.ts',
      'test/lib/*.test.ts',
      'test/lib/!(kafka)/**/*.test.ts',
    ],
  ],
};

/** The AWS SDK warns of Node 20's end at every start; 20 is this project's floor until the SDK really needs more. */
const ENVIRONMENT = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', TZ: 'UTC' };

/**
 * Runs the command in this process: a second one would double the time that a small command takes.
 * @param {readonly string[]} args
 * @returns {Promise<boolean>} false where that cannot be
 */
function runCli(args) {
  process.argv.splice(1, process.argv.length, join(root, 'cli.ts'), ...args);
  return runCliBundle();
}

/**
 * Runs the mode's program to its end and ends as it ended.
 * @param {string} mode
 * @param {readonly string[]} args
 */
export async function runMode(mode, args) {
  const modes = { ...MODES, ...PROGRAMS };
  if (!Object.hasOwn(modes, mode)) throw new Error(`no such mode: ${mode || '(none)'}; the modes are ${Object.keys(modes).join(', ')}`);
  Object.assign(process.env, ENVIRONMENT);
  hideEnvironment();
  if (Object.hasOwn(PROGRAMS, mode)) return runProgram(PROGRAMS[/** @type {keyof typeof PROGRAMS} */ (mode)], args);
  if (mode === 'cli' && (await runCli(args))) return;
  const [program = '', ...first] = MODES[/** @type {keyof typeof MODES} */ (mode)];
  // `sluice` works in the folder it is called from: the paths it is given are relative to that. The npm scripts are in the root anyway.
  const command = ['--import', import.meta.resolve('tsx'), join(root, program), ...first, ...args];
  const isWhole = Object.hasOwn(SPECS, mode) && !args.some((arg) => arg.includes('.test.ts'));
  if (!isWhole) process.exit(await ended(start(command)));
  const [here = [], ...beside] = SPECS[/** @type {keyof typeof SPECS} */ (mode)];
  /** @type {Buffer[]} */
  const said = [];
  const others = beside.map((specs, index) => {
    const child = start([...command, ...specs], { SLUICE_TEST_STACK: `test-${index + 2}` }, 'pipe');
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => said.push(chunk));
    return ended(child);
  });
  const codes = await Promise.all([ended(start([...command, ...here])), ...others]);
  const failed = codes.find((code) => code !== 0);
  // All at once at the end: in between, nobody could tell whose lines they are.
  process.stdout.write(Buffer.concat(said), () => process.exit(failed ?? 0));
}

/**
 * @param {readonly string[]} command
 * @param {Record<string, string>} [environment]
 * @param {'inherit' | 'pipe'} [output]
 */
function start(command, environment = {}, output = 'inherit') {
  const child = spawn(process.execPath, command, {
    stdio: ['inherit', output, output],
    env: { ...process.env, ...environment },
  });
  forwardSignals(child);
  return child;
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number>} the exit code that says how it has ended
 */
async function ended(child) {
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...how) => resolve(how));
  });
  return signal === null ? (code ?? 1) : 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)];
}

/**
 * A terminal sends its Ctrl-C and its hang-up to the child as well; twice would mean "at once" to it. Whoever signals this process alone
 * (a supervisor, `kill`) has no terminal, or sends SIGTERM.
 * @param {import('node:child_process').ChildProcess} child
 */
function forwardSignals(child) {
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGHUP', 'SIGTERM'])) {
    process.on(signal, () => {
      if (signal === 'SIGTERM' || process.stdin.isTTY !== true) child.kill(signal);
    });
  }
}
