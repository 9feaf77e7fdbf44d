/** Called once after all test files, to close shared resources. */
export const cleanups = new Set<() => Promise<void>>();
