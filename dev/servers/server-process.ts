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
  /** A note shown with the server, such as "keeps objects in memory only". */
  readonly note?: string;
}

/** The content of `<home>/run/<part>.json`. Persisted: fields may be added, but never change their meaning. */
export interface ServerRecord {
  readonly pid: number;
  /** Distinguishes the process from a later one with the same pid. */
  readonly identity: string;
  readonly ports: Ports;
  readonly executable: string;
  readonly stopSignal: NodeJS.Signals;
  readonly startedAt: string;
  /** True after databases, buckets and similar objects were created in it. */
  readonly prepared: boolean;
  readonly note?: string;
}

export interface LaunchedServer {
  readonly record: ServerRecord;
  /** Describes how the server ended; undefined while it runs. */
  exit(): string | undefined;
}

const STOP_MS = 20_000;
/** Extra time for the server's child processes to end. */
const GROUP_MS = 1_000;
const POLL_MS = 50;
const LOG_LINES = 15;

/** Starts the server in a separate process group, so that it survives this process and its Ctrl-C, and records it. */
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
  const log = openSync(logFile, 'w', 0o600); // errors only need the log of the current run
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

/** Whether the recorded process is alive, and not a later one with its pid. */
export function isAlive(record: ServerRecord): boolean {
  return record.identity !== '' && processIdentity(record.pid) === record.identity;
}

/**
 * Asks the server to end, waits, and finally kills it and its child processes, because a program on PATH may be a wrapper script. Only
 * signals the recorded process and its group.
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

/** The last log lines of the server, indented, for an error message. */
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

/** Each server leads its own process group; the pid is not reused while the group has members. */
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
