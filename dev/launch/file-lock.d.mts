/** Another process holds the lock and did not let go of it in time. */
export class LockTimeout extends Error {
  readonly pid: number | undefined;
  constructor(path: string, pid: number | undefined);
}

/** Runs `work` while holding the lock file `path`. The lock of a dead owner is taken over; a living one is waited for. */
export function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  options?: { onWait?: (pid: number | undefined) => void; timeoutMs?: number },
): Promise<T>;
