export function processIdentity(pid: number): string | undefined;
export function sessionMembers(leader: number): number[];
