import { ScheduleNotFoundError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { RunNotFound } from './runs/runs.ts';

/** gRPC status codes that are about the server or the connection, and not about what was asked for. */
const OUTAGE_CODES: ReadonlySet<unknown> = new Set([
  1, // CANCELLED
  4, // DEADLINE_EXCEEDED
  7, // PERMISSION_DENIED
  8, // RESOURCE_EXHAUSTED
  14, // UNAVAILABLE
  16, // UNAUTHENTICATED
]);

/** gRPC's NOT_FOUND, as calls give it that the client library does not translate. */
const NOT_FOUND = 5;

/** Whether an error says that the server answers nothing at the moment, so that asking about the next thing makes no sense. */
export function isOutage(error: unknown): boolean {
  return OUTAGE_CODES.has(codeOf(error));
}

function codeOf(error: unknown): unknown {
  const cause = error instanceof ServiceError ? error.cause : error;
  return (cause as { code?: unknown } | undefined)?.code;
}

/** Whether an error says that Temporal has removed, or never had, what was asked for. */
export function isGone(error: unknown): boolean {
  const isNamed = error instanceof WorkflowNotFoundError || error instanceof RunNotFound || error instanceof ScheduleNotFoundError;
  return isNamed || codeOf(error) === NOT_FOUND;
}

/** Collects what one check cannot read, so that one fault does not hide everything else. */
export class Unchecked {
  /** Why something could not be read, by what it is about: a dag_id, or the id of a sensor. */
  readonly reasons = new Map<string, string>();

  /**
   * Reads something about `subject`.
   * @returns undefined when it cannot be read: the reason is noted
   * @throws an outage of the server, which ends the whole check
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
