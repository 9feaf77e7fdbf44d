import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pid as ownPid } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { platformFault } from '../run/errors.ts';
import type { ChildUser } from '../support/programs/child-user.ts';
import { endSession } from '../support/programs/end-session.ts';
import { processIdentity } from '../support/programs/process-table.mjs';

const LAUNCHER = fileURLToPath(new URL('launcher.mjs', import.meta.url));
const POLL_MS = 100;
/** Starting Node may take seconds on a busy machine; after this time the start has failed. */
const START_TIMEOUT_MS = 30_000;

/** A process that outlives the worker that started it, as recorded by the launcher in the task's state folder. */
export interface DetachedProcess {
  /** Leader of the process group and of the session. */
  readonly pid: number;
  /** See `processIdentity`: pids are reused. */
  readonly identity: string;
  readonly host: string;
  /** The Temporal run that it was started for. */
  readonly run: string;
  /** The attempt that started it; absent in records of earlier releases. */
  readonly attempt?: number;
  /** Digest of the requested work; absent in records of earlier releases. */
  readonly order?: string;
}

/** What the launcher records about a process in addition to its identity. */
export type ProcessPurpose = Required<Pick<DetachedProcess, 'run' | 'attempt' | 'order'>>;

/** How a program ended; `error` if it could not be started. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: string;
}

/** The process recorded in state folder `folder`, whether or not it still runs. */
export async function readProcess(folder: string): Promise<DetachedProcess | undefined> {
  return readJson<DetachedProcess>(join(folder, 'process.json'));
}

/** How the program in `folder` ended; undefined while it runs, or if its launcher was killed with it. */
export async function readExit(folder: string): Promise<ProcessExit | undefined> {
  return readJson<ProcessExit>(join(folder, 'exit.json'));
}

/** Whether `process` runs on this machine. */
export function isAlive(process: DetachedProcess): boolean {
  return process.host === hostname() && processIdentity(process.pid) === process.identity;
}

/**
 * Starts `argv` in a session of its own and records its log and exit in the existing folder `folder`. If another worker has started a
 * process there in the meantime, returns that one.
 * @param user whom the program runs as; default: the worker's own
 */
export async function startProcess(
  folder: string,
  purpose: ProcessPurpose,
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  user?: ChildUser,
): Promise<DetachedProcess> {
  const owner = user ? `${user.uid}:${user.gid}` : '';
  const launcher = spawn(process.execPath, [LAUNCHER, folder, JSON.stringify(purpose), owner, ...argv], {
    cwd: folder,
    detached: true,
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let trouble = '';
  launcher.stderr.on('data', (chunk: Buffer) => (trouble = (trouble + chunk.toString()).slice(-2_000)));
  launcher.on('error', (error) => (trouble = error.message));
  launcher.unref();
  try {
    for (const end = Date.now() + START_TIMEOUT_MS; Date.now() < end; await sleep(POLL_MS)) {
      const started = await readProcess(folder);
      if (started) return started;
      if (launcher.exitCode !== null || launcher.signalCode !== null || launcher.pid === undefined) break;
    }
    // Read once more: another worker may have written the file between the last read and the exit of this launcher.
    const started = await readProcess(folder);
    if (started) return started;
    launcher.kill('SIGKILL');
    throw new Error(`the launcher could not be started in ${folder}: ${trouble.trim() || 'no answer'}`);
  } finally {
    // An open pipe would tie the launcher to this worker's lifetime.
    launcher.stderr.destroy();
  }
}

/**
 * Ends `process` and its session: SIGTERM to the group, and after `graceMs` SIGKILL to the whole session. Returns when all have
 * ended.
 * @throws ApplicationFailure `SparkFailed` when some remain: nothing else may write to the same place until they have ended
 */
export async function terminate(process: DetachedProcess, graceMs: number): Promise<void> {
  if (process.host !== hostname() || bootOf(process.identity) !== bootOf(processIdentity(ownPid))) return;
  // The leader may have ended while its children live; a pid is not reused while a group or session has it as its id.
  const present = processIdentity(process.pid);
  if (present !== undefined && present !== process.identity) return;
  if (await endSession(process.pid, graceMs)) return;
  throw platformFault(
    'SparkFailed',
    `Process ${process.pid} of an earlier attempt cannot be ended on ${process.host}: it belongs to another user, or waits for a device that does not answer. End it there; the task will try again.`,
  );
}

/** On Linux an identity begins with the id of the machine's boot. */
function bootOf(identity: string | undefined): string | undefined {
  return identity?.includes('/') ? identity.slice(0, identity.indexOf('/')) : undefined;
}

async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
