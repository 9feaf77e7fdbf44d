import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** When this process began, in milliseconds: tells it from an earlier one with its pid, such as that of a container that was started again. */
const BEGAN = Math.round(performance.timeOrigin);
const HOST = hostname().replace(/[^A-Za-z0-9-]/g, '_');
const NAME = /^sluice-[a-z]+-(?<host>[\w-]+)\.(?<pid>\d+)\.(?<began>\d+)-\w+$/;

/**
 * Does `work` with a folder of its own under the system's temporary folder, and removes it. A process that is killed cannot: what such
 * processes of this host have left is removed when the next folder is made.
 * @param purpose lowercase letters, for those who look into the temporary folder
 */
export async function withTemporaryFolder<T>(purpose: string, work: (folder: string) => Promise<T>): Promise<T> {
  await removeAbandoned();
  const folder = await mkdtemp(join(tmpdir(), `sluice-${purpose}-${HOST}.${process.pid}.${BEGAN}-`));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function removeAbandoned(): Promise<void> {
  const abandoned = (await readdir(tmpdir())).filter((name) => {
    const { host, pid, began } = NAME.exec(name)?.groups ?? {};
    if (host !== HOST) return false;
    return Number(pid) === process.pid ? Number(began) !== BEGAN : !isThere(Number(pid));
  });
  // What another user's process has left is for that user.
  for (const name of abandoned) await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {});
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
