import { ApplicationFailure } from '@temporalio/common';

/** A failure that only a person can fix: the sensor stops and reports it. */
export function stopped(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'SensorStopped');
}
