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
  /** The program, or a copy of it where the server's user can reach it. */
  readonly executable: string;
}

/** Where the data is or would be. */
export function postgresDataFolder(home: string): string {
  const place = readPlace(home);
  return place?.holdsData === true ? join(place.folder, 'data') : homePaths.data(home, 'postgres');
}

/** Makes the data folder ready to be served: created when it is new, healed after a crash. */
export async function preparePostgresData(context: PartContext, executable: string, report: Report): Promise<PostgresData> {
  const { home } = context;
  const user = unprivilegedUser();
  await mkdir(dirname(homePaths.data(home, 'postgres')), { recursive: true });
  if (user !== undefined && readPlace(home)?.holdsData !== true && !canEnter(user, dirname(homePaths.data(home, 'postgres')))) {
    const place = await placeOf(home);
    const [from, to] = [homePaths.data(home, 'postgres'), join(place, 'data')];
    // Of a start from before the home was closed to others.
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

/** A killed `initdb` leaves half a cluster, so it works in a folder beside, which is then renamed. */
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
 * The server's own pid file outlives a crash. Of a dead process it is left alone: the server then checks that no child of that one still
 * has the memory. Of a living one it is believed only when that process serves this folder, a server that we lost track of, which is
 * ended; otherwise the pid has come to belong to somebody else, for which the server would refuse to start for ever.
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
    return false; // it ended just now, or hides from us: not our user's
  }
}

/** npm's PostgreSQL finds its libraries beside it, so all of it moves. */
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

/** What `<home>/postgres-place.json` says: the folder outside of the home that is ours. */
interface Place {
  readonly folder: string;
  /** False when only the program had to be copied there. */
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
