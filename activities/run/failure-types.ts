/**
 * Failure types, as recorded by Temporal and used in `retry_policy`: wire data, never renamed.
 */

/** Causes that a retry cannot fix: the definition, the user's SQL or data, a policy. */
export const USER_FAULTS = [
  'ConnectionNotDefined',
  'InvalidParameters',
  'TableNotFound',
  'ColumnNotFound',
  'QueryFailed',
  'AccessDenied',
  'BucketNotFound',
  'JobNotFound',
  'ProgramNotFound',
  'DatasetNotFound',
  'DataDoesNotFit',
  'DataMismatch',
  'Unfinished',
  'IntervalAlreadyLoaded',
  'OutputTooLarge',
  'RequestRefused',
  // The request may have been processed: it is repeated only if `retry_policy` says so.
  'RequestTimedOut',
] as const;
export type UserFaultType = (typeof USER_FAULTS)[number];

/**
 * Causes that may be gone on a retry: the network, a server, a worker. `JobFailed` means that the job's own code failed, perhaps because
 * the network was down; `retry_policy` can override this.
 */
export const PLATFORM_FAULTS = [
  'PostgresUnavailable',
  'MySQLUnavailable',
  'S3Unavailable',
  'KafkaUnavailable',
  'ServiceUnavailable',
  'TemporalUnavailable',
  'SparkFailed',
  'JobFailed',
  'DatasetChanged',
  'CallbackFailed',
  'WorkerShutdown',
] as const;
export type PlatformFaultType = (typeof PLATFORM_FAULTS)[number];

/** The condition of a waiting task is not met yet. */
export const NOT_YET = 'NotYet';

/** Temporal's timeout failures, named by the keys that set the limits. */
export const EXECUTION_TIMEOUT = 'execution_timeout';
export const TIMEOUT_FAULTS = [EXECUTION_TIMEOUT, 'heartbeat_timeout'] as const;
