import type { HttpConnection } from '../../lib/connections.ts';
import { ForeignAddress } from '../../lib/http.ts';
import { platformFault, userFault } from '../errors.ts';

/** What it means for the analyst that a service did not answer. */
export function httpFailure(error: unknown, { url }: HttpConnection, path: string): Error {
  if (error instanceof ForeignAddress || error instanceof RangeError) return userFault('InvalidParameters', error.message);
  // `fetch` says nothing but that it failed; the reason is its cause.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = cause instanceof Error ? cause.message || cause.name : String(cause);
  return platformFault(
    'ServiceUnavailable',
    `${url} did not answer ${path}: ${text}. Check that the service runs and can be reached from this worker; the task will try again.`,
    error,
  );
}
