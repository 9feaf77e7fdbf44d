import type { Client } from '@temporalio/client';
import type { NativeConnection, Worker } from '@temporalio/worker';

/** Temporal workers in one process. */
export interface WorkerGroup {
  readonly workers: readonly Worker[];
  /** Resolves when all workers have shut down; rejects if one fails. */
  run(): Promise<void>;
  shutdown(): void;
}

/** Workers with a client on their own connection. */
export interface ConnectedWorkers extends WorkerGroup {
  readonly client: Client;
}

/** @param connection used by the workers only; closed when all have shut down */
export function groupOf(workers: readonly Worker[], connection: NativeConnection): WorkerGroup {
  const shutdown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  return {
    workers,
    async run() {
      const ends = await Promise.allSettled(
        workers.map((worker) =>
          worker.run().catch((error: unknown) => {
            // Otherwise the other workers would keep running and hold the connection.
            shutdown();
            throw error;
          }),
        ),
      );
      const failed = ends.find((end) => end.status === 'rejected');
      // The worker's failure matters more than an error from closing its connection.
      if (failed) await connection.close().catch(() => undefined);
      else await connection.close();
      if (failed) throw failed.reason;
    },
    shutdown,
  };
}
