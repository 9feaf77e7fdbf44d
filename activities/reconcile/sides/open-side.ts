import type { AwsConnection } from '../../../lib/s3.ts';
import type { MySQLConnection } from '../../../lib/databases/mysql.ts';
import type { PostgresConnection, RedshiftConnection } from '../../../lib/databases/postgres.ts';
import type { Place, Side } from '../side.ts';

export interface SideToOpen {
  readonly place: Place;
  readonly connection: PostgresConnection | RedshiftConnection | MySQLConnection | AwsConnection;
  /** The client's name in the server's list of sessions: `dag.task`. */
  readonly task: string;
  readonly interval: { readonly start: string; readonly end: string };
  /** Declared time zones, which the server must know. */
  readonly zones: readonly string[];
  readonly signal: AbortSignal;
  /** Whether the side is written to. Changes are kept only if `work` commits. */
  readonly writes: boolean;
}

/**
 * Opens a side, runs `work` with it, and closes it. Drivers are loaded on demand.
 * @throws ApplicationFailure
 */
export async function withSide<T>({ connection, ...side }: SideToOpen, work: (side: Side) => Promise<T>): Promise<T> {
  switch (connection.type) {
    case 'mysql':
      return (await import('./mysql.ts')).withMySQLSide({ connection, ...side }, work);
    case 'aws':
      return (await import('./dataset.ts')).withDatasetSide({ connection, ...side }, work);
    default:
      return (await import('./postgres.ts')).withPostgresSide({ connection, ...side }, work);
  }
}
