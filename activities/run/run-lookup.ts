/** Which run of another pipeline is meant. */
export interface RunQuery {
  readonly dagId: string;
  /** Of the same data interval, of one that covers it, or the one that was started last. */
  readonly interval: 'same' | 'covering' | 'latest';
  readonly start: string;
  readonly end: string;
}

/** A run as it stands. */
export interface FoundRun {
  readonly run_id: string;
  readonly state: string;
}

/** What tasks ask about runs; Temporal answers (temporal/runs/run-lookup.ts). */
export interface RunLookup {
  /** Its runs of the interval that is meant, the newest first. @throws whatever the connection throws */
  find(wanted: RunQuery): Promise<readonly FoundRun[]>;
  /** The state of a task in the newest run of that workflow id; undefined where it has no such task. @throws whatever the connection throws */
  taskState(pipelineRunId: string, task: string): Promise<string | undefined>;
  /** Whether the newest run of that workflow id has not ended; false when Temporal knows none. @throws whatever the connection throws */
  isUnderWay(pipelineRunId: string): Promise<boolean>;
}
