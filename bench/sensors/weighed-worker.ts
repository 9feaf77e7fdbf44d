import { answer, cpuMs } from '../child.ts';

/** What a worker has cost since it began, or costs in a second; what it holds. */
export interface WorkerWeight {
  readonly cpuMs: number;
  readonly bytes: number;
  /** Connections to Kafka: Temporal's are not Node's. */
  readonly sockets: number;
}

// `worker.ts` as it is, with its arguments.
answer((): WorkerWeight => {
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  return { cpuMs: cpuMs(), bytes: process.memoryUsage.rss(), sockets };
});
await import('../../worker.ts');
