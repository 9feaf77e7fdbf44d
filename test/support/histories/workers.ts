import { startProcess, type TestProcess } from '../processes.ts';

/** A worker process that histories kill; another one takes its place at once. */
export class Worker {
  private process: Promise<TestProcess>;

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
    // Another history was faster.
    if (process !== this.process) return;
    this.process = replaced.stop('SIGKILL').then(() => this.start());
    await this.process;
  }

  async stop(): Promise<void> {
    await (await this.process).stop('SIGKILL');
  }

  private async start(): Promise<TestProcess> {
    const started = startProcess('worker.ts', [], this.environment);
    await started.says('ready');
    return started;
  }
}
