import { ApplicationFailure } from '@temporalio/common';

/** A failure that only a person can put right: the sensor stops, and says so. */
export function stopped(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'SensorStopped');
}
