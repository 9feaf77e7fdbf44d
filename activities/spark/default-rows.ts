/** Rows per file of a job's output, by default. */
export const DEFAULT_MAX_ROWS_PER_FILE = 1_000_000;
