/** Replaces a value that could not be decrypted, or that this deployment did not encrypt. */
const UNREADABLE = '$unreadable';

/** @param why continues the sentence "The payload …" */
export function unreadable(why: string): Readonly<Record<string, string>> {
  return { [UNREADABLE]: why };
}

/** Why a value is unreadable; undefined when it is readable. */
export function whyUnreadable(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !(UNREADABLE in value)) return undefined;
  return String(value[UNREADABLE]);
}
