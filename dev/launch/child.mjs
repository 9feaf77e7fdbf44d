// Plain JavaScript: dev/launch/run-mode.mjs uses it.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Starts Node, which gets the signals that this process gets.
 * @param {readonly string[]} command
 * @param {Record<string, string>} [environment]
 * @param {'inherit' | 'pipe'} [output]
 */
export function start(command, environment = {}, output = 'inherit') {
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
export async function ended(child) {
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
