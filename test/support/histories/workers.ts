import { startProcess, type TestProcess } from '../processes.ts';

/**
 * So long a worker lives at least, in milliseconds: with many histories on it, each of which wants to kill it, it would otherwise hardly live,
 * and a sensor begins with joining its group.
 */
const LIFE_MS = 4_000;

/** A worker process that histories kill; another one takes its place at once. */
export class Worker {
  private process: Promise<TestProcess>;
  private readyAt = 0;

  constructor(private readonly environment: Record<string, string>) {
    this.process = this.start();
  }

  /** Resolves when a worker is ready. */
  async ready(): Promise<void> {
    await this.process;
  }

  async kill(): Promise<void> {
    const { process } = this;
    const replaced = await process;
    // Another history was faster, now or a moment ago.
    if (process !== this.process || performance.now() - this.readyAt < LIFE_MS) return;
    this.process = replaced.stop('SIGKILL').then(() => this.start());
    await this.process;
  }

  async stop(): Promise<void> {
    await (await this.process).stop('SIGKILL');
  }

  private async start(): Promise<TestProcess> {
    const started = startProcess('worker.ts', [], this.environment);
    await started.says('ready');
    this.readyAt = performance.now();
    return started;
  }
}
