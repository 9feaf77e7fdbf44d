/** When a task started and ended, milliseconds since 1970. */
export interface TaskTimes {
  readonly startedAt?: number;
  readonly endedAt?: number;
}
