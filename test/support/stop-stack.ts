import { stopTestStack } from './test-stack.ts';

/** Mocha calls this once, after all files. */
export async function mochaGlobalTeardown(): Promise<void> {
  await stopTestStack();
}
