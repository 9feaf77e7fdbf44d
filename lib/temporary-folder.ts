import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** When this process started, in milliseconds: distinguishes it from an earlier process with its pid, such as in a restarted container. */
const BEGAN = Math.round(performance.timeOrigin);
const HOST = hostname().replace(/[^A-Za-z0-9-]/g, '_');
const NAME = /^sluice-[a-z]+-(?<host>[\w-]+)\.(?<pid>\d+)\.(?<began>\d+)-\w+$/;

/**
 * Runs `work` with a new folder in the system's temporary folder, and removes it afterwards. Also removes folders that killed processes of
 * this host left behind.
 * @param purpose lowercase letters, shown in the folder's name
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
  // Folders of other users cannot be removed.
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
