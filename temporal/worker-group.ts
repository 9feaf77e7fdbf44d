import type { NativeConnection, Worker } from '@temporalio/worker';

/** Temporal workers in one process. */
export interface WorkerGroup {
  readonly workers: readonly Worker[];
  /** Resolves when all have shut down; rejects when one fails. */
  run(): Promise<void>;
  shutdown(): void;
}

/** @param connection is theirs, and closed when all have shut down */
export function groupOf(workers: readonly Worker[], connection: NativeConnection): WorkerGroup {
  return {
    workers,
    async run() {
      try {
        await Promise.all(workers.map((worker) => worker.run()));
      } finally {
        await connection.close();
      }
    },
    shutdown() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    },
  };
}
