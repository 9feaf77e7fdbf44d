/** Called once after all test files: what they share and does not end by itself. */
export const cleanups = new Set<() => Promise<void>>();
