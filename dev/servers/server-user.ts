import { randomBytes } from 'node:crypto';
import { execFileSync, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chmod, mkdir } from 'node:fs/promises';

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** The user for a server that refuses to run as root: undefined (the current user) unless we are root. */
export function unprivilegedUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const ask = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: ask('-u'), gid: ask('-g') };
    } catch {
      // no such user: try the next
    }
  }
  return { uid: 65_534, gid: 65_534 };
}

/** Whether the user can access the folder. Asks the system, to include ACLs and mount options. */
export function canEnter(user: ServerUser, folder: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], { cwd: '/', stdio: 'ignore', ...user }).status === 0;
}

/** Whether the user can run the program. */
export function canRun(user: ServerUser, program: string): boolean {
  return spawnSync(program, ['--version'], { cwd: '/', stdio: 'ignore', ...user }).status === 0;
}

/**
 * Creates a folder that every user can access, for a home that is closed to others. Its name is random, not derived from the home: a
 * recreated home must not find the data of the deleted one, whose passwords are gone.
 * @param home named in the error
 */
export async function createReachablePlace(home: string): Promise<string> {
  const name = `sluice-${randomBytes(8).toString('hex')}`;
  for (const parent of ['/var/lib', tmpdir()]) {
    const place = join(parent, name);
    try {
      await mkdir(place, { recursive: true });
      await chmod(place, 0o755);
      return place;
    } catch {
      // read-only, for example in a container: try the next
    }
  }
  throw new Error(`no folder outside of ${home} can be written that another user can reach; set SLUICE_CONN_POSTGRES_DEFAULT to a server`);
}

/** Whether the path looks like a folder of `createReachablePlace`; nothing else is ever deleted outside of the home. */
export function isReachablePlace(path: string): boolean {
  return /\/sluice-[0-9a-f]{16}$/.test(path);
}
