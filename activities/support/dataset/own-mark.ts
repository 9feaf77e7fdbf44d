import { createHash } from 'node:crypto';

/** Identifies one task of one run, as part of a name: the same for every attempt. */
export function ownMark(idempotencyKey: string): string {
  return createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 12);
}
