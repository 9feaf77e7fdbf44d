import { randomBytes } from 'node:crypto';

/**
 * A name for a temporary table of one load, as SQL. It lives no longer than its transaction, and nobody else's is called so: behind a pooler
 * a session, with its temporary tables, is another client's next.
 */
export function newStagingTable(): string {
  return `sluice_staging_${randomBytes(8).toString('hex')}`;
}
