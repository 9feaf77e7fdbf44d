import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';

// Helpers that wait for a condition in tests and benchmarks.

const EVERY_MS = 50;

/** Repeats `check` until it passes, for changes that the server shows with a delay; after `withinMs` fails with the error of `check`. */
export async function eventually<T>(check: () => Promise<T>, withinMs = 15_000): Promise<T> {
  for (const deadline = Date.now() + withinMs; ; await delay(EVERY_MS)) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

/** Repeats `find` until it returns a value; fails after `seconds`, naming what it waited for. */
export function poll<T>(what: string, find: () => T | undefined | Promise<T | undefined>, seconds = 60): Promise<T> {
  return eventually(async () => (await find()) ?? assert.fail(`waited ${seconds} s in vain: ${what}`), seconds * 1_000);
}

/** Waits for a condition, at most `withinMs`. @returns whether the condition was met */
export async function until(holds: () => boolean | Promise<boolean>, withinMs: number, everyMs = EVERY_MS): Promise<boolean> {
  for (const deadline = performance.now() + withinMs; performance.now() < deadline; await delay(everyMs)) if (await holds()) return true;
  return false;
}
