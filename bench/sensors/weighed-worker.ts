import { answer, cpuMs } from '../child.ts';

/** The cost of a worker since its start, or per second; and its current usage. */
export interface WorkerWeight {
  readonly cpuMs: number;
  readonly bytes: number;
  /** Connections to Kafka; Temporal's are not made by Node. */
  readonly sockets: number;
}

// The real `worker.ts` with its arguments.
answer((): WorkerWeight => {
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  return { cpuMs: cpuMs(), bytes: process.memoryUsage.rss(), sockets };
});
await import('../../worker.ts');
