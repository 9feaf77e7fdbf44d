import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../../lib/environment.ts';

/** A Sluice process under test. */
export interface TestProcess {
  readonly child: ChildProcess;
  /** Its complete output so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves when stderr contains `text`; rejects if the process ends first. */
  says(text: string | RegExp): Promise<void>;
  /** The exit code; null if a signal ended it. */
  readonly exited: Promise<number | null>;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts `worker.ts`, `scheduler.ts` or `cli.ts` like a user, with only these Sluice variables: ignores the developer's settings and a
 * running local stack.
 */
export function startProcess(script: string, args: readonly string[], environment: Record<string, string>): TestProcess {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(SLUICE|TEMPORAL)_/.test(name)));
  const program = script === 'cli.ts' ? [join(ROOT, 'bin/sluice.mjs')] : [join(ROOT, 'dev/launch/run-program.mjs'), script];
  const child = spawn(process.execPath, [...program, ...args], {
    cwd: ROOT,
    env: { ...inherited, SLUICE_HOME: join(ROOT, '.sluice', 'test', 'no-stack'), ...environment, TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (typeof text === 'string' ? !stderr.includes(text) : !text.test(stderr)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        void exited.then((code) => reject(new Error(`${script} ended with ${code} before it said '${String(text)}':\n${stderr}`)));
        look();
      }),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return exited;
    },
  };
}

/** Runs a CLI command until it ends. */
export async function sluice(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const cli = startProcess('cli.ts', args, environment);
  const code = await cli.exited;
  return { code, stdout: cli.stdout(), stderr: cli.stderr() };
}
