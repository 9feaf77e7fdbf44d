import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { homePaths } from '../home.ts';
import { readJson, writeJson } from './json-file.ts';
import type { Ports } from './ports.ts';
import { processIdentity } from '../launch/process-identity.mjs';

/** How to run a server. */
export interface ServerCommand {
  readonly executable: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly workingFolder?: string;
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Said of the server wherever it is listed, such as "keeps objects in memory only". */
  readonly note?: string;
}

/** What `<home>/run/<part>.json` holds: persisted, so a field may be added and never changes its meaning. */
export interface ServerRecord {
  readonly pid: number;
  /** Tells the process from a later one with the same pid. */
  readonly identity: string;
  readonly ports: Ports;
  readonly executable: string;
  readonly stopSignal: NodeJS.Signals;
  readonly startedAt: string;
  /** True once databases, buckets and such have been created in it. */
  readonly prepared: boolean;
  readonly note?: string;
}

export interface LaunchedServer {
  readonly record: ServerRecord;
  /** Says how the server ended, once it has. */
  exit(): string | undefined;
}

const STOP_MS = 20_000;
/** What a server started may take a moment longer than itself. */
const GROUP_MS = 1_000;
const POLL_MS = 50;
const LOG_LINES = 15;

/** Starts the server in a process group of its own, so that it outlives us and our Ctrl-C, and records it. */
export async function launchServer(
  home: string,
  part: string,
  command: ServerCommand,
  ports: Ports,
  stopSignal: NodeJS.Signals,
): Promise<LaunchedServer> {
  const logFile = homePaths.log(home, part);
  await mkdir(dirname(logFile), { recursive: true });
  await mkdir(dirname(homePaths.record(home, part)), { recursive: true });
  const log = openSync(logFile, 'w', 0o600); // only the present run's lines are of use in an error
  try {
    const child = spawn(command.executable, command.args, {
      cwd: command.workingFolder ?? home,
      env: { ...command.environment, TZ: 'UTC' },
      detached: true,
      stdio: ['ignore', log, log],
      ...command.user,
    });
    let exit: string | undefined;
    child.once('error', (error) => (exit = error.message));
    child.once('exit', (code, signal) => (exit = signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`));
    child.unref();
    const pid = child.pid ?? 0;
    const record: ServerRecord = {
      pid,
      identity: processIdentity(pid) ?? '',
      ports,
      executable: command.executable,
      stopSignal,
      startedAt: new Date().toISOString(),
      prepared: false,
      ...(command.note === undefined ? {} : { note: command.note }),
    };
    if (pid !== 0) await writeRecord(home, part, record);
    return { record, exit: () => exit };
  } finally {
    closeSync(log);
  }
}

export async function readRecord(home: string, part: string): Promise<ServerRecord | undefined> {
  const record = await readJson<ServerRecord>(homePaths.record(home, part));
  return typeof record?.pid === 'number' && typeof record.ports === 'object' ? record : undefined;
}

export async function writeRecord(home: string, part: string, record: ServerRecord): Promise<void> {
  await writeJson(homePaths.record(home, part), record);
}

export async function removeRecord(home: string, part: string): Promise<void> {
  await rm(homePaths.record(home, part), { force: true });
}

/** True while the recorded process itself, not a later one with its pid, lives. */
export function isAlive(record: ServerRecord): boolean {
  return record.identity !== '' && processIdentity(record.pid) === record.identity;
}

/**
 * Asks the server to end, waits, and in the end kills it; the same for what it has started, since a program on PATH may be a script around
 * the server. Never touches a process that is not the recorded one or of its group.
 */
export async function stopServer(record: ServerRecord, timeoutMs = STOP_MS): Promise<void> {
  if (!isAlive(record)) return;
  signalGroup(record.pid, record.stopSignal);
  if (!(await within(timeoutMs, () => !isAlive(record)))) {
    signalGroup(record.pid, 'SIGKILL');
    await within(STOP_MS, () => !isAlive(record));
  }
  if (await within(GROUP_MS, () => !groupExists(record.pid))) return;
  signalGroup(record.pid, 'SIGKILL');
}

/** The last lines that the server wrote, indented, for an error message. */
export function logTail(home: string, part: string): string {
  try {
    const lines = readFileSync(homePaths.log(home, part), 'utf8').trimEnd().split('\n');
    return lines
      .slice(-LOG_LINES)
      .map((line) => `  ${line}`)
      .join('\n');
  } catch {
    return '';
  }
}

async function within(timeoutMs: number, done: () => boolean): Promise<boolean> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await delay(POLL_MS)) {
    if (done()) return true;
  }
  return done();
}

/** Each server leads a process group of its own; its pid is not given to anybody else while the group has members. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function groupExists(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}
