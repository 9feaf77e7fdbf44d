/**
 * The types of failures, as Temporal records them and `retry_policy` names them: wire data, never renamed.
 */

/** Causes that another attempt cannot cure: the definition, the user's SQL or data, a policy. */
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
  // It may have been carried out: it is repeated only where `retry_policy` says so.
  'RequestTimedOut',
] as const;
export type UserFaultType = (typeof USER_FAULTS)[number];

/**
 * Causes that may be gone at the next attempt: the network, a server, a worker. `JobFailed` is a job's own code that ended it: it may have
 * met a network that was down; `retry_policy` can say otherwise.
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

/** What a task waits for is not there yet. */
export const NOT_YET = 'NotYet';

/** Time that was over: Temporal's own failures, by the keys that set the time. */
export const EXECUTION_TIMEOUT = 'execution_timeout';
export const TIMEOUT_FAULTS = [EXECUTION_TIMEOUT, 'heartbeat_timeout'] as const;
