/**
 * Temporal's sandbox replaces `Date` with its own function, whose instances still belong to the real one. cel-js recognizes times by their
 * constructor, which it reads once at load time. Outside of the sandbox both are the same.
 */
const sandboxed = globalThis.Date;
globalThis.Date = sandboxed.prototype.constructor as DateConstructor;

/** Restores the sandbox's `Date`. */
export function restoreDate(): void {
  globalThis.Date = sandboxed;
}
