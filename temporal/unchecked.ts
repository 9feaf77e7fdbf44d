import { ScheduleNotFoundError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { RunNotFound } from './runs/runs.ts';

/** gRPC status codes that concern the server or the connection, not the request. */
const OUTAGE_CODES: ReadonlySet<unknown> = new Set([
  1, // CANCELLED
  4, // DEADLINE_EXCEEDED
  7, // PERMISSION_DENIED
  8, // RESOURCE_EXHAUSTED
  14, // UNAVAILABLE
  16, // UNAUTHENTICATED
]);

/** gRPC's NOT_FOUND, for calls that the client library does not translate. */
const NOT_FOUND = 5;

/** Whether an error means that the server is unavailable, so that further requests would fail too. */
export function isOutage(error: unknown): boolean {
  return OUTAGE_CODES.has(codeOf(error));
}

function codeOf(error: unknown): unknown {
  const cause = error instanceof ServiceError ? error.cause : error;
  return (cause as { code?: unknown } | undefined)?.code;
}

/** Whether an error means that Temporal does not have the object, or has removed it. */
export function isGone(error: unknown): boolean {
  const isNamed = error instanceof WorkflowNotFoundError || error instanceof RunNotFound || error instanceof ScheduleNotFoundError;
  return isNamed || codeOf(error) === NOT_FOUND;
}

/** Collects what one check could not read, so that one fault does not hide the rest. */
export class Unchecked {
  /** Why something could not be read, by its dag_id or sensor id. */
  readonly reasons = new Map<string, string>();

  /**
   * Reads something about `subject`.
   * @returns undefined if it cannot be read; the reason is recorded
   * @throws for an outage of the server, which aborts the whole check
   */
  async guard<T>(subject: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (isOutage(error)) throw error;
      this.note(subject, error);
      return undefined;
    }
  }

  note(subject: string, error: unknown): void {
    if (!this.reasons.has(subject)) this.reasons.set(subject, String(error));
  }
}
