import { setTimeout as sleep } from 'node:timers/promises';
import { sessionMembers } from './process-table.mjs';

const POLL_MS = 100;
/** How long killed processes may take to end, in milliseconds. */
const KILL_TIMEOUT_MS = 5_000;

/**
 * Ends all processes of a session: SIGTERM to the process group of its leader, and after `graceMs` SIGKILL to every remaining process, even
 * in another process group.
 * A process that has opened its own session chose to be a daemon, and is left alone.
 * @param leader pid of the process that opened the session; it may have ended already
 * @returns whether all have ended; false 5 s after SIGKILL if one belongs to another user or waits for a device that does not respond
 */
export async function endSession(leader: number, graceMs: number): Promise<boolean> {
  if (sessionMembers(leader).length === 0) return true;
  signal(-leader, 'SIGTERM');
  const killAt = Date.now() + graceMs;
  while (sessionMembers(leader).length > 0) {
    const now = Date.now();
    if (now >= killAt + KILL_TIMEOUT_MS) return false;
    if (now >= killAt) {
      signal(-leader, 'SIGKILL');
      for (const member of sessionMembers(leader)) signal(member, 'SIGKILL');
    }
    await sleep(POLL_MS);
  }
  return true;
}

/** @param target a pid, or a process group as a negative number */
function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name);
  } catch (error) {
    // It has ended, or belongs to another user.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
