/** How many rows each file of a job's output has, where the task does not say. */
export const DEFAULT_MAX_ROWS_PER_FILE = 1_000_000;
