import { setTimeout as delay } from 'node:timers/promises';

/** Repeats `check` until it passes, for what the server makes visible a moment later; fails as `check` does after `withinMs`. */
export async function eventually<T>(check: () => Promise<T>, withinMs = 15_000): Promise<T> {
  for (const deadline = Date.now() + withinMs; ; await delay(50)) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}
