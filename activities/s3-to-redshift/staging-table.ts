import { randomBytes } from 'node:crypto';

/**
 * A unique name for the temporary table of one load, as SQL. The table ends with its transaction. The name is unique because behind a
 * pooler another client uses the session next, with its temporary tables.
 */
export function newStagingTable(): string {
  return `sluice_staging_${randomBytes(8).toString('hex')}`;
}
