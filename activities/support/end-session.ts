import { setTimeout as sleep } from 'node:timers/promises';
import { sessionMembers } from './process-table.mjs';

const POLL_MS = 100;

/**
 * Ends all processes of a session: SIGTERM to the process group of its leader, and after `graceMs` SIGKILL to every process that is left,
 * also to those that have moved to a process group of their own. Returns when all have ended.
 * A process that has opened a session of its own is a daemon by its own decision, and is left alone.
 * @param leader pid of the process that opened the session; it may have ended already
 */
export async function endSession(leader: number, graceMs: number): Promise<void> {
  if (sessionMembers(leader).length === 0) return;
  signal(-leader, 'SIGTERM');
  const end = Date.now() + graceMs;
  while (sessionMembers(leader).length > 0) {
    if (Date.now() >= end) {
      signal(-leader, 'SIGKILL');
      for (const member of sessionMembers(leader)) signal(member, 'SIGKILL');
    }
    await sleep(POLL_MS);
  }
}

/** @param target a pid, or a process group as a negative number */
function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
