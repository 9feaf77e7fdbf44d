import type { SqlClient } from '../../../lib/databases/postgres.ts';

/** An open session, with its location for error messages. */
export interface Database {
  readonly client: SqlClient;
  readonly type: 'postgres' | 'redshift';
  /** The connection's name, as pipelines write it: `postgres_default`. */
  readonly connection: string;
  /** `host:port/database`. */
  readonly server: string;
  readonly user: string;
}

export type DatabasePlace = Omit<Database, 'client' | 'type'>;
