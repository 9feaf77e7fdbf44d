import { createHash } from 'node:crypto';

/** Tells one task of one run from every other, as part of a name: the same for every attempt. */
export function ownMark(idempotencyKey: string): string {
  return createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 12);
}
