/** Selects runs of another pipeline. */
export interface RunQuery {
  readonly dagId: string;
  /** The run of the same data interval, of one that covers it, or the run that started last. */
  readonly interval: 'same' | 'covering' | 'latest';
  readonly start: string;
  readonly end: string;
  /** The run that asks: only runs of its deployment are found. */
  readonly askedBy: string;
}

/** A run and its current status. */
export interface FoundRun {
  readonly run_id: string;
  readonly state: string;
}

/** Answers tasks' questions about runs from Temporal (temporal/runs/run-lookup.ts). */
export interface RunLookup {
  /** Runs of the selected interval, newest first. @throws any error of the connection */
  find(query: RunQuery): Promise<readonly FoundRun[]>;
  /** The state of a task in the newest run with that workflow id; undefined if it has no such task. @throws any error of the connection */
  taskState(pipelineRunId: string, task: string): Promise<string | undefined>;
  /** Whether the newest run with that workflow id is still open; false if Temporal knows none. @throws any error of the connection */
  isUnderWay(pipelineRunId: string): Promise<boolean>;
}
