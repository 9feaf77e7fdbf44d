import { spawn } from 'node:child_process';

/** How a program has ended, and all that it has written. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script of Node's to its end. @param env all of its environment; by default this process's own @param cwd its folder; by default this process's own */
export function outcomeOf(
  script: string,
  args: readonly string[],
  env?: Record<string, string | undefined>,
  cwd?: string,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { env, cwd });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
