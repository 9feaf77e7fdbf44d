import { readFileSync } from 'node:fs';
import { chmod, lchown, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Environment, SettingError } from '../../../lib/environment.ts';
import { userFault } from '../../run/errors.ts';

/** Another user for task programs, so that they cannot read the worker's files. */
export interface ChildUser {
  readonly uid: number;
  readonly gid: number;
  /** Absent for a user given by numeric ids. */
  readonly name?: string;
  readonly home: string;
}

/**
 * Reads `SLUICE_RUN_AS`: a name in /etc/passwd, or `uid:gid`.
 * @returns undefined when it is not set: programs run as the worker's own user
 * @throws SettingError when the user does not exist, or the worker is not root and so cannot start programs of other users
 */
export function childUser(environment: Environment = process.env): ChildUser | undefined {
  const given = environment.SLUICE_RUN_AS?.trim();
  if (!given) return undefined;
  const user = findUser(given);
  if (!user) throw new SettingError(`SLUICE_RUN_AS is '${given}': it is neither a user of this machine nor of the form uid:gid.`);
  if (process.getuid?.() !== 0) {
    throw new SettingError(
      `SLUICE_RUN_AS is '${given}', but this worker is not root, so it cannot start programs as another user. Start it as root, or unset SLUICE_RUN_AS.`,
    );
  }
  if (user.uid === 0) throw new SettingError(`SLUICE_RUN_AS is '${given}', which is root, like the worker. Name a user without rights.`);
  return user;
}

function findUser(given: string): ChildUser | undefined {
  const [, uid, gid] = /^(\d{1,9}):(\d{1,9})$/.exec(given) ?? [];
  if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid), home: '/' };
  const entries = readFileSync('/etc/passwd', 'utf8').split('\n');
  const [name, , ownUid, ownGid, , home = '/'] = entries.find((entry) => entry.split(':')[0] === given)?.split(':') ?? [];
  return name === undefined ? undefined : { uid: Number(ownUid), gid: Number(ownGid), name, home };
}

/**
 * Makes the user the owner of a folder and its contents. Does nothing if `user` is undefined.
 * @throws ApplicationFailure `AccessDenied` when the user cannot reach it, because a parent folder is closed
 */
export async function giveFolder(folder: string, user: ChildUser | undefined): Promise<void> {
  if (!user) return;
  for (let above = dirname(folder); ; above = dirname(above)) {
    const { mode, uid } = await stat(above);
    if (uid !== user.uid && (mode & 0o001) === 0) {
      throw userFault(
        'AccessDenied',
        `The user of SLUICE_RUN_AS cannot reach ${folder}: ${above} is closed to others. Set SLUICE_STATE (Spark) or TMPDIR (programs) to a folder that it can reach, such as /var/lib/sluice.`,
      );
    }
    if (above === dirname(above)) break;
  }
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    await lchown(join(entry.parentPath, entry.name), user.uid, user.gid);
  }
  await lchown(folder, user.uid, user.gid);
  await chmod(folder, 0o700);
}
