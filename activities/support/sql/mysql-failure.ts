import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { platformFault, userFault } from '../../run/errors.ts';
import type { UserFaultType } from '../../run/failure-types.ts';
import type { DatabasePlace } from './opened-database.ts';
import { isProgramError, unreachable } from './database-failure.ts';

/** Fields of a server error in `mysql2`. */
interface MySQLError extends Error {
  readonly errno: number;
  readonly sqlState: string;
}

/** Maps the server's error numbers to causes. SQLSTATEs are too coarse: most are 42000. */
const USER_FAULTS: Readonly<Record<number, UserFaultType>> = {
  1044: 'AccessDenied',
  1045: 'AccessDenied',
  1698: 'AccessDenied',
  1142: 'AccessDenied',
  1143: 'AccessDenied',
  1227: 'AccessDenied',
  1370: 'AccessDenied',
  1049: 'ConnectionNotDefined',
  1146: 'TableNotFound',
  1051: 'TableNotFound',
  1054: 'ColumnNotFound',
  1317: 'QueryFailed',
  1792: 'QueryFailed',
  1969: 'QueryFailed',
  3024: 'QueryFailed',
};
/** Wrong user or password, as opposed to a missing permission. */
const NOT_LET_IN: ReadonlySet<number> = new Set([1045, 1698]);
/** Cancelled by a person, or by a limit of the server. */
const CANCELLED: ReadonlySet<number> = new Set([1317, 1969, 3024]);

/** Whether the error comes from the server and not from the network. */
export function isMySQLError(error: unknown): error is MySQLError {
  return error instanceof Error && typeof (error as { sqlState?: unknown }).sqlState === 'string' && 'errno' in error;
}

/**
 * Translates an error of MySQL or MariaDB, or of the connection to it, for the analyst.
 * @param doing the operation: `compare orders (shop)`
 */
export function mysqlFailure(error: unknown, place: DatabasePlace, doing: string): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (isProgramError(error)) return error;
  if (!isMySQLError(error)) return unreachable(error, place, doing, 'MySQLUnavailable');
  const type = USER_FAULTS[error.errno] ?? (/^(21|22|42)/.test(error.sqlState) ? 'QueryFailed' : undefined);
  const what = `${error.message.replace(/\.$/, '')}.`;
  if (type === undefined) {
    const { server, connection } = place;
    return platformFault(
      'MySQLUnavailable',
      `Could not ${doing} now: ${what} (${error.errno} from ${server}, connection '${connection}'.)`,
      error,
    );
  }
  return userFault(type, `Could not ${doing}: ${what} ${advice(type, error, place)}`, error);
}

function advice(type: UserFaultType, { errno }: MySQLError, { connection, server, user }: DatabasePlace): string {
  switch (type) {
    case 'AccessDenied':
      return NOT_LET_IN.has(errno)
        ? `${server} does not let user '${user}' in: check user and password of connection '${connection}'.`
        : `Grant user '${user}' of connection '${connection}' the right to it at ${server}, or name another connection.`;
    case 'ConnectionNotDefined':
      return `Connection '${connection}' names a database that ${server} does not have: correct the connection.`;
    case 'QueryFailed':
      if (CANCELLED.has(errno)) return `It was cancelled at ${server}, by an administrator or a limit on the time of statements.`;
      if (errno === 1792) return 'A task that reads runs read only: its SQL may not change anything.';
      return `Correct the SQL in the task (connection '${connection}').`;
    default:
      return `(Connection '${connection}', ${server}.)`;
  }
}
