import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { homePaths } from '../home.ts';
import { writeJson } from './json-file.ts';
import type { PartContext, Report } from './parts/part.ts';
import { POSTGRES_USER, postgresPassword } from './postgres-databases.ts';
import { processIdentity } from '../launch/process-identity.mjs';
import { runTool } from './run-tool.ts';
import { stopServer } from './server-process.ts';
import { canEnter, canRun, createReachablePlace, type ServerUser, unprivilegedUser } from './server-user.ts';

export interface PostgresData {
  readonly folder: string;
  /** The program, or a copy that the server's user can access. */
  readonly executable: string;
}

/** The folder of the data, which may not exist. */
export function postgresDataFolder(home: string): string {
  const place = readPlace(home);
  return place?.holdsData === true ? join(place.folder, 'data') : homePaths.data(home, 'postgres');
}

/** Prepares the data folder: creates a new one, or repairs it after a crash. */
export async function preparePostgresData(context: PartContext, executable: string, report: Report): Promise<PostgresData> {
  const { home } = context;
  const user = unprivilegedUser();
  await mkdir(dirname(homePaths.data(home, 'postgres')), { recursive: true });
  if (user !== undefined && readPlace(home)?.holdsData !== true && !canEnter(user, dirname(homePaths.data(home, 'postgres')))) {
    const place = await placeOf(home);
    const [from, to] = [homePaths.data(home, 'postgres'), join(place, 'data')];
    // Created before the home was closed to other users.
    if (existsSync(from) && !existsSync(to)) await runTool('/bin/mv', [from, to]);
    for (const half of [`${from}.partial`, `${from}.password`]) await rm(half, { recursive: true, force: true });
    await writePlace(home, { folder: place, holdsData: true });
  }
  const folder = postgresDataFolder(home);
  const program = user === undefined || canRun(user, executable) ? executable : await copyProgram(home, executable);
  if (!existsSync(join(folder, 'PG_VERSION'))) await initialise(context, program, folder, user, report);
  await endLeftover(folder);
  return { folder, executable: program };
}

/** Works in a separate folder and renames it, because a killed `initdb` leaves a partial cluster. */
async function initialise(
  { home, environment }: PartContext,
  program: string,
  folder: string,
  user: ServerUser | undefined,
  report: Report,
): Promise<void> {
  report('creating the database cluster');
  const partial = `${folder}.partial`;
  const passwordFile = `${folder}.password`;
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    await chmod(partial, 0o700);
    await rm(passwordFile, { force: true });
    await writeFile(passwordFile, await postgresPassword(home), { mode: 0o600, flag: 'wx' });
    for (const path of user === undefined ? [] : [partial, passwordFile]) await chown(path, user?.uid ?? 0, user?.gid ?? 0);
    const args = ['-D', partial, '-E', 'UTF8', '--locale=C', '-A', 'scram-sha-256', '-U', POSTGRES_USER, `--pwfile=${passwordFile}`];
    await runTool(join(dirname(program), 'initdb'), args, {
      environment: { ...environment, TZ: 'UTC' },
      workingFolder: partial,
      ...(user === undefined ? {} : { user }),
    });
    await rename(partial, folder);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/**
 * The server's pid file survives a crash. If its process is dead, the file stays: the server checks that no child of the old process still
 * uses the shared memory. If a live process serves this folder, it is a lost server and is stopped. Otherwise the pid was reused, and the
 * file is removed because the server would never start.
 */
async function endLeftover(folder: string): Promise<void> {
  const file = join(folder, 'postmaster.pid');
  if (process.platform !== 'linux' || !existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  const identity = processIdentity(pid);
  if (identity === undefined) return;
  if (!servesFolder(pid, folder)) return rm(file, { force: true });
  await stopServer({ pid, identity, ports: {}, executable: '', stopSignal: 'SIGINT', startedAt: '', prepared: false });
}

function servesFolder(pid: number, folder: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(folder);
  } catch {
    return false; // it has just ended, or belongs to another user
  }
}

/** npm's PostgreSQL expects its libraries beside it, so all of it is copied. */
async function copyProgram(home: string, executable: string): Promise<string> {
  const place = await placeOf(home);
  await writePlace(home, { folder: place, holdsData: readPlace(home)?.holdsData === true });
  const root = dirname(dirname(executable));
  const copy = join(place, 'program');
  if (!existsSync(copy)) {
    await rm(`${copy}.partial`, { recursive: true, force: true });
    await cp(root, `${copy}.partial`, { recursive: true, verbatimSymlinks: true });
    await rename(`${copy}.partial`, copy);
  }
  return join(copy, 'bin', basename(executable));
}

/** The content of `<home>/postgres-place.json`: our folder outside of the home. */
interface Place {
  readonly folder: string;
  /** False if only the program is there. */
  readonly holdsData: boolean;
}

async function placeOf(home: string): Promise<string> {
  return readPlace(home)?.folder ?? createReachablePlace(home);
}

function readPlace(home: string): Place | undefined {
  try {
    return JSON.parse(readFileSync(homePaths.postgresPlace(home), 'utf8')) as Place;
  } catch {
    return undefined;
  }
}

async function writePlace(home: string, place: Place): Promise<void> {
  await writeJson(homePaths.postgresPlace(home), place);
}
