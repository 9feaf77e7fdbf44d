import { createHash } from 'node:crypto';

/** Converts a key to a header value: the key itself if it is valid in a header, else its hash. */
export function headerKey(key: string): string {
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(key) ? key : createHash('sha256').update(key).digest('hex');
}
