import { cleanups } from './cleanups.ts';

/** Mocha calls this once, after all files. It does not import server code, which unit tests would load unnecessarily. */
export async function mochaGlobalTeardown(): Promise<void> {
  await Promise.all([...cleanups].map((cleanup) => cleanup()));
}
