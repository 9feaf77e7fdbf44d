/**
 * Temporal's sandbox puts a function of its own in the place of `Date`, whose instances are still those of the real one; cel-js knows times
 * by their constructor, and asks for it once, when it is loaded. Outside of the sandbox both are the same.
 */
const sandboxed = globalThis.Date;
globalThis.Date = sandboxed.prototype.constructor as DateConstructor;

/** Puts the sandbox's `Date` back. */
export function restoreDate(): void {
  globalThis.Date = sandboxed;
}
