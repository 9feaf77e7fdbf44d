/** Stands in the place of a value that could not be decrypted, or that this deployment has not encrypted. */
const UNREADABLE = '$unreadable';

/** @param why goes on from "The payload …" */
export function unreadable(why: string): Readonly<Record<string, string>> {
  return { [UNREADABLE]: why };
}

/** Why a value is missing; undefined when it is there. */
export function whyUnreadable(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !(UNREADABLE in value)) return undefined;
  return String(value[UNREADABLE]);
}
