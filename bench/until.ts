import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a condition, no longer than `patienceMs`; looks every `lookEveryMs`. @returns whether it came */
export async function until(holds: () => boolean | Promise<boolean>, patienceMs: number, lookEveryMs = 50): Promise<boolean> {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await delay(lookEveryMs))
    if (await holds()) return true;
  return false;
}
