// Plain JavaScript: used by dev/launch/run-mode.mjs.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Starts Node and forwards the signals of this process.
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
 * @returns {Promise<number>} the exit code, which includes the signal
 */
export async function ended(child) {
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...how) => resolve(how));
  });
  return signal === null ? (code ?? 1) : 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)];
}

/**
 * A terminal sends Ctrl-C and hang-ups to the child too; a second signal would mean "at once". A sender that signals only this process (a
 * supervisor, `kill`) has no terminal, or sends SIGTERM.
 * @param {import('node:child_process').ChildProcess} child
 */
function forwardSignals(child) {
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGHUP', 'SIGTERM'])) {
    process.on(signal, () => {
      if (signal === 'SIGTERM' || process.stdin.isTTY !== true) child.kill(signal);
    });
  }
}
