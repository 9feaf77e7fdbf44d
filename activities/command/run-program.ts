import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a program has ended, and the ends of what it has said. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Of each stream so much is kept: its end. In bytes. */
const KEPT = 64 * 1024;
/** Between SIGTERM and SIGKILL, in milliseconds. */
const GRACE = 10_000;
const LOOK_EVERY = 100;

/**
 * Runs a program in a process group of its own to its end. An abort of `signal` ends the whole group: SIGTERM, and SIGKILL after 10 s.
 * @throws NodeJS.ErrnoException when it cannot be started
 */
export async function runProgram(
  argv: readonly [string, ...string[]],
  options: { readonly environment: NodeJS.ProcessEnv; readonly folder: string; readonly signal: AbortSignal },
): Promise<ProgramEnd> {
  const { environment, folder, signal } = options;
  const [file, ...rest] = argv;
  const child = spawn(file, rest, { cwd: folder, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = [new Tail(), new Tail()];
  child.stdout.on('data', (chunk: Buffer) => stdout.add(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
  const ended = new Promise<Pick<ProgramEnd, 'code' | 'signal'>>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, by) => resolve({ code, signal: by }));
  });
  const end = (): void => {
    if (child.pid !== undefined) void endGroup(child.pid);
  };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    return { ...(await ended), stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    signal.removeEventListener('abort', end);
  }
}

async function endGroup(leader: number): Promise<void> {
  signalGroup(leader, 'SIGTERM');
  for (const last = Date.now() + GRACE; Date.now() < last; await sleep(LOOK_EVERY)) {
    if (!signalGroup(leader, 0)) return;
  }
  signalGroup(leader, 'SIGKILL');
}

/** Whether there is still anybody in the group. */
function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-leader, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** The end of a stream. */
class Tail {
  #kept = Buffer.alloc(0);
  #lost = false;

  add(chunk: Buffer): void {
    const all = Buffer.concat([this.#kept, chunk]);
    this.#lost ||= all.length > KEPT;
    this.#kept = all.subarray(Math.max(0, all.length - KEPT));
  }

  text(): string {
    return (this.#lost ? '… ' : '') + this.#kept.toString('utf8');
  }
}
