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
/** A busy machine may take seconds to start Node; longer means that it cannot be started. */
const START_TIMEOUT_MS = 30_000;

/** A process that outlives the worker that started it, as the launcher wrote it down in the task's state folder. */
export interface DetachedProcess {
  /** Leads the process group and the session. */
  readonly pid: number;
  /** See `processIdentity`: pids are used again. */
  readonly identity: string;
  readonly host: string;
  /** The Temporal run that it was started for. */
  readonly run: string;
  /** The attempt that started it; absent in those of earlier releases. */
  readonly attempt?: number;
  /** Digest of what it was asked to do; absent in those of earlier releases. */
  readonly order?: string;
}

/** What is written down of a process beside who it is. */
export type ProcessPurpose = Required<Pick<DetachedProcess, 'run' | 'attempt' | 'order'>>;

/** How a program ended; `error` when it could not be started at all. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: string;
}

/** The process that state folder `folder` tells of, whatever has become of it since. */
export async function readProcess(folder: string): Promise<DetachedProcess | undefined> {
  return readJson<DetachedProcess>(join(folder, 'process.json'));
}

/** How the program in `folder` ended; undefined while it runs, and for good when the launcher was killed with it. */
export async function readExit(folder: string): Promise<ProcessExit | undefined> {
  return readJson<ProcessExit>(join(folder, 'exit.json'));
}

/** Whether `process` runs on this machine. */
export function isAlive(process: DetachedProcess): boolean {
  return process.host === hostname() && processIdentity(process.pid) === process.identity;
}

/**
 * Starts `argv` in a session of its own, with its log and its end written down in `folder`, which exists. When another worker has
 * started one there in the meantime, answers that one.
 * @param user whom the program runs as; absent: the worker's own
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
    // The last look: whoever was faster may have written between our look and our launcher's end.
    const started = await readProcess(folder);
    if (started) return started;
    launcher.kill('SIGKILL');
    throw new Error(`the launcher could not be started in ${folder}: ${trouble.trim() || 'no answer'}`);
  } finally {
    // A pipe would tie the launcher to this worker's life.
    launcher.stderr.destroy();
  }
}

/**
 * Ends `process` and all it started: SIGTERM to the group, and after `graceMs` SIGKILL to the whole session. Returns when all are gone.
 * @throws ApplicationFailure `SparkFailed` when the system does not end them: nothing else may write to the same place until they are gone
 */
export async function terminate(process: DetachedProcess, graceMs: number): Promise<void> {
  if (process.host !== hostname() || bootOf(process.identity) !== bootOf(processIdentity(ownPid))) return;
  // The leader may be gone while its children live; a pid is not given to another process as long as a group or session has it.
  const present = processIdentity(process.pid);
  if (present !== undefined && present !== process.identity) return;
  if (await endSession(process.pid, graceMs)) return;
  throw platformFault(
    'SparkFailed',
    `Process ${process.pid} of an earlier attempt cannot be ended on ${process.host}: it belongs to another user, or waits for a device that does not answer. End it there; the task will try again.`,
  );
}

/** On Linux an identity begins with the boot of the machine. */
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
