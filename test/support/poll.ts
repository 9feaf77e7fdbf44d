import { setTimeout as sleep } from 'node:timers/promises';

/** Looks until `look` answers something; fails after `seconds` and says what it waited for. */
export async function poll<T>(what: string, look: () => T | undefined | Promise<T | undefined>, seconds = 60): Promise<T> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(50)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`waited ${seconds} s in vain: ${what}`);
}
