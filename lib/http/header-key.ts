import { createHash } from 'node:crypto';

/** A key as the value of a header: itself where headers can carry it, else its hash. */
export function headerKey(key: string): string {
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(key) ? key : createHash('sha256').update(key).digest('hex');
}
