import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY = 50;

/** Waits for a condition, no longer than `patienceMs`. @returns whether it came */
export async function until(holds: () => boolean | Promise<boolean>, patienceMs: number): Promise<boolean> {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await delay(LOOK_EVERY))
    if (await holds()) return true;
  return false;
}
