import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { DriverMissing } from '../../../lib/driver.ts';
import type { PlatformFaultType, UserFaultType } from '../../run/failure-types.ts';
import { errorText } from '../../../workflows/plan/values/error-text.ts';
import { platformFault, userFault } from '../../run/errors.ts';
import type { DatabasePlace } from './opened-database.ts';

/** Fields of a server error in `pg`. */
export interface ServerError extends Error {
  readonly code: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly position?: string;
  /** Such as `COPY staging, line 3, column price: "abc"`. */
  readonly where?: string;
  /** The table of a violated constraint. */
  readonly schema?: string;
  readonly table?: string;
}

/** Whether the error comes from the server and not from the network. */
export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'severity' in error && typeof (error as { code?: unknown }).code === 'string';
}

/** Whether the error is a bug in code or a missing driver, and not from the server or the network. Node's network errors have a code. */
export function isProgramError(error: unknown): error is Error {
  const isKind =
    error instanceof DriverMissing ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof SyntaxError;
  return isKind && !('code' in error);
}

/** Maps SQLSTATEs and their classes to causes. The longest match wins. */
const USER_FAULTS: Readonly<Record<string, UserFaultType>> = {
  '28': 'AccessDenied',
  '42501': 'AccessDenied',
  '3D000': 'ConnectionNotDefined',
  '3F000': 'TableNotFound',
  '42P01': 'TableNotFound',
  '42703': 'ColumnNotFound',
  '0A': 'QueryFailed',
  '21': 'QueryFailed',
  '22': 'QueryFailed',
  '23': 'DataDoesNotFit',
  '25': 'QueryFailed',
  '26': 'QueryFailed',
  '2B': 'QueryFailed',
  '2D': 'QueryFailed',
  '34': 'QueryFailed',
  '38': 'QueryFailed',
  '39': 'QueryFailed',
  '3B': 'QueryFailed',
  '42': 'QueryFailed',
  '44': 'DataDoesNotFit',
  '57014': 'QueryFailed',
  P0: 'QueryFailed',
};

/**
 * Translates an error of the database, or of the connection to it, for the analyst.
 * @param doing the operation: `read product_categories`
 */
export function databaseFailure(error: unknown, place: DatabasePlace, doing: string): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (isProgramError(error)) return error;
  if (!isServerError(error)) return unreachable(error, place, doing, 'PostgresUnavailable');
  if (/statement pooling mode/.test(error.message)) return poolsStatements(error, place, doing);
  const type = userFaultType(error.code);
  if (type === undefined) return transient(error, place, doing);
  return userFault(type, `Could not ${doing}: ${describe(error)} ${advice(type, error, place)}`, error);
}

/** Error for PgBouncer with `pool_mode = statement`, whose sessions have no transactions. */
function poolsStatements(error: ServerError, { server, connection }: DatabasePlace, doing: string): ApplicationFailure {
  return userFault(
    'ConnectionNotDefined',
    `Could not ${doing}: the pooler at ${server} (connection '${connection}') is in statement mode, which has no transactions. ` +
      'Set its pool_mode to transaction or session, or let the connection name the server itself.',
    error,
  );
}

/** The user fault for an SQLSTATE; undefined when a retry may help. */
function userFaultType(code: string): UserFaultType | undefined {
  return USER_FAULTS[code] ?? USER_FAULTS[code.slice(0, 2)];
}

/** The server's message, detail, hint, and place in the data. */
export function describe({ message, detail, hint, where }: ServerError): string {
  return [message, detail, hint, where]
    .filter((part) => part !== undefined && part !== '')
    .map((part) => (/[.!?]$/.test(part ?? '') ? part : `${part}.`))
    .join(' ');
}

function advice(type: UserFaultType, error: ServerError, { connection, server, user }: DatabasePlace): string {
  switch (type) {
    case 'AccessDenied':
      return error.code.startsWith('28')
        ? `${server} does not let user '${user}' in: check user and password of connection '${connection}'.`
        : `Grant user '${user}' of connection '${connection}' the right to it at ${server}, or name another connection.`;
    case 'ConnectionNotDefined':
      return `Connection '${connection}' names a database that ${server} does not have: correct the connection.`;
    case 'QueryFailed':
      if (error.code === '57014') return `It was cancelled at ${server}, by an administrator or a statement_timeout of user '${user}'.`;
      // For example VACUUM, and procedures that COMMIT.
      if (error.code === '25001' || error.code === '2D000')
        return "It cannot run inside a transaction. A task of type sql with 'transaction: false' runs each statement separately.";
      if (error.code === '25006') return 'A task that reads runs read only: its SQL may not change anything.';
      return `Correct the SQL in the task (connection '${connection}').`;
    default:
      return `(Connection '${connection}', ${server}.)`;
  }
}

/**
 * Translates an error of the connection to a database.
 * @param type the failure type if a retry may help
 */
export function unreachable(
  error: unknown,
  { connection, server }: DatabasePlace,
  doing: string,
  type: PlatformFaultType,
): ApplicationFailure {
  const text = errorText(error);
  // Node's messages for a certificate that is not trusted or names another host: a retry does not help.
  if (/certificate|SSL connection|secure connection/i.test(text)) {
    return userFault(
      'AccessDenied',
      `Could not ${doing}: no encrypted connection to ${server}: ${text}. Set sslmode of connection '${connection}': verify-full, require (not verified) or disable.`,
      error,
    );
  }
  return platformFault(
    type,
    `Could not ${doing}: ${server} (connection '${connection}') cannot be reached or broke off: ${text}. Check that the server runs, that host and port are right, and that this worker may connect to it; the task will try again.`,
    error,
  );
}

function transient(error: ServerError, { connection, server }: DatabasePlace, doing: string): ApplicationFailure {
  const type: PlatformFaultType = 'PostgresUnavailable';
  return platformFault(
    type,
    `Could not ${doing} now: ${describe(error)} (${error.code} from ${server}, connection '${connection}'.)`,
    error,
  );
}
