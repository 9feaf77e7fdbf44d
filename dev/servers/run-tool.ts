import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface RunToolOptions {
  readonly environment?: NodeJS.ProcessEnv;
  readonly workingFolder?: string;
  readonly timeoutMs?: number;
  /** Called for each line of both streams. */
  readonly onLine?: (line: string) => void;
  /** The user to run as; requires root. */
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly signal?: AbortSignal;
}

/** Thrown when a program fails, cannot start or exceeds its time limit. The message contains its last lines. */
export class ToolFailed extends Error {
  override readonly name = 'ToolFailed';
}

const LINES_IN_MESSAGE = 12;
const LINES_KEPT = 2_000;

/** Runs a program and returns its standard output. It stays in this process group, so that Ctrl-C ends it too. */
export async function runTool(command: string, args: readonly string[], options: RunToolOptions = {}): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.workingFolder,
    env: options.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
    signal: options.signal,
    ...options.user,
  });
  const output: string[] = [];
  const tail: string[] = [];
  const collect = async (stream: Readable, kept?: string[]) => {
    for await (const line of createInterface({ input: stream })) {
      options.onLine?.(line);
      if (kept !== undefined && kept.length < LINES_KEPT) kept.push(line);
      if (line.trim() !== '') tail.push(line);
      if (tail.length > LINES_IN_MESSAGE) tail.shift();
    }
  };
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : signal === null ? `exit code ${code}` : `ended by ${signal}`));
  });
  const [failure] = await Promise.all([ended, collect(child.stdout, output), collect(child.stderr)]);
  if (failure === undefined) return output.join('\n');
  throw new ToolFailed([`${[command, ...args].join(' ')}: ${failure}`, ...tail.map((line) => `  ${line}`)].join('\n'));
}

/** The output of a short command such as `--version`, or undefined if it fails. */
export async function askTool(command: string, args: readonly string[], options: RunToolOptions = {}): Promise<string | undefined> {
  try {
    return await runTool(command, args, { timeoutMs: 15_000, ...options });
  } catch {
    return undefined;
  }
}
