/**
 * What tells a process from a later one with the same pid: when it started. Undefined when there is no such process
 * or when it is a zombie.
 */
export function processIdentity(pid: number): string | undefined;
