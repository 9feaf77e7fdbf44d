import { ApplicationFailure } from '@temporalio/activity';

/**
 * Failures of tasks. `type` is what Temporal records and what `retry_policy` names: wire data, never renamed. A message says what was
 * given, what is allowed and what to do next, and never holds a secret.
 */

/** Causes that another attempt cannot cure: the definition, the user's SQL or data, a policy. */
export type UserFaultType =
  | 'ConnectionNotDefined'
  | 'InvalidParameters'
  | 'TableNotFound'
  | 'ColumnNotFound'
  | 'QueryFailed'
  | 'AccessDenied'
  | 'BucketNotFound'
  | 'JobNotFound'
  | 'ProgramNotFound'
  | 'DatasetNotFound'
  | 'DataDoesNotFit'
  | 'IntervalAlreadyLoaded'
  | 'OutputTooLarge';

/** Causes that may be gone at the next attempt: the network, a server, a worker. */
export type PlatformFaultType =
  | 'PostgresUnavailable'
  | 'S3Unavailable'
  | 'SparkFailed'
  /** The job's own code ended it. Retried: it may have met a network that was down; `retry_policy` can say otherwise. */
  | 'JobFailed'
  | 'DatasetChanged'
  | 'WorkerShutdown';

/** A failure that is not retried. `message` tells the analyst what to change. */
export function userFault(type: UserFaultType, message: string, cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, ...causeOf(cause) });
}

/** A failure that is retried as the task's `retries` and `retry_delay` say. */
export function platformFault(type: PlatformFaultType, message: string, cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: false, ...causeOf(cause) });
}

function causeOf(cause: unknown): { cause?: Error } {
  return cause instanceof Error ? { cause } : {};
}
