import { cleanups } from './cleanups.ts';

/** Mocha calls this once, after all files. It imports no servers itself: unit tests would load them for nothing. */
export async function mochaGlobalTeardown(): Promise<void> {
  await Promise.all([...cleanups].map((cleanup) => cleanup()));
}
