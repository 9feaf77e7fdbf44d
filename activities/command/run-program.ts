import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildUser } from '../support/programs/child-user.ts';
import { endSession } from '../support/programs/end-session.ts';

/** How a program ended, and the last part of each output stream. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Bytes kept from the end of each stream. */
const KEPT = 64 * 1024;
/** Time between SIGTERM and SIGKILL, in milliseconds. */
const GRACE_MS = 10_000;
/** Time to read the pipes after the program has ended, in milliseconds: a daemon that it started may keep them open for longer. */
const DRAIN_MS = 1_000;

/**
 * Runs a program, given by its absolute path, in a session of its own, until the program itself ends, even if another process keeps its
 * standard output open. Remaining processes of the session are then ended. Aborting `signal` ends the whole session: SIGTERM, and SIGKILL
 * after 10 s.
 * @throws NodeJS.ErrnoException when the program cannot be started
 */
export async function runProgram(
  argv: readonly [string, ...string[]],
  options: {
    readonly environment: NodeJS.ProcessEnv;
    readonly folder: string;
    /** Default: the worker's own user. */
    readonly user: ChildUser | undefined;
    readonly signal: AbortSignal;
    /** Called with what the program writes to either stream. */
    readonly onOutput?: (text: string) => void;
  },
): Promise<ProgramEnd> {
  const { environment, folder, user, signal, onOutput } = options;
  const [file, ...rest] = argv;
  const child = spawn(file, rest, {
    cwd: folder,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(user && { uid: user.uid, gid: user.gid }),
  });
  const [stdout, stderr] = [new Tail(), new Tail()];
  child.stdout.on('data', (chunk: Buffer) => stdout.add(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
  if (onOutput) for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => onOutput(chunk.toString()));
  const closed = once(child, 'close');
  closed.catch(() => {});
  const exited = new Promise<Pick<ProgramEnd, 'code' | 'signal'>>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, by) => resolve({ code, signal: by }));
  });
  let ending: Promise<boolean> | undefined;
  const end = (): Promise<boolean> => (ending ??= child.pid === undefined ? Promise.resolve(true) : endSession(child.pid, GRACE_MS));
  // A program that cannot be killed must not block its task.
  let giveUp = (): void => undefined;
  const givenUp = new Promise<Pick<ProgramEnd, 'code' | 'signal'>>(
    (resolve) => (giveUp = () => resolve({ code: null, signal: 'SIGKILL' })),
  );
  const onAbort = (): void => void end().then((hasEnded) => (hasEnded ? undefined : giveUp()));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const exit = await Promise.race([exited, givenUp]);
    await end();
    const drained = new AbortController();
    await Promise.race([closed, sleep(DRAIN_MS, undefined, { signal: drained.signal })]);
    drained.abort();
    return { ...exit, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    signal.removeEventListener('abort', onAbort);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** Keeps the end of a stream. */
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
