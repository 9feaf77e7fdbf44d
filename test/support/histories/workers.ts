import { startProcess, type TestProcess } from '../processes.ts';

/** A worker process that histories kill; a new one replaces it immediately. */
export class Worker {
  private process: Promise<TestProcess>;
  private readyAt = 0;
  private readonly started: TestProcess[] = [];

  /** @param lifeMs minimum lifetime in milliseconds */
  constructor(
    private readonly environment: Record<string, string>,
    private readonly lifeMs: number,
  ) {
    this.process = this.start();
  }

  /** Resolves when the worker is ready. */
  async ready(): Promise<void> {
    await this.process;
  }

  async kill(): Promise<void> {
    const { process } = this;
    const replaced = await process;
    // Another history has already killed it, or it is too young.
    if (process !== this.process || performance.now() - this.readyAt < this.lifeMs) return;
    this.process = replaced.stop('SIGKILL').then(() => this.start());
    await this.process;
  }

  /** Replaces the worker as a deployment does: it shuts down in an orderly way. */
  async replace(): Promise<void> {
    this.process = this.process.then((running) => running.stop('SIGTERM')).then(() => this.start());
    await this.process;
  }

  /** The workers' log lines that contain `text`, the times when each was ready, and the last lines of the last one. */
  logOf(text: string): string[] {
    const lines = this.started.map((each) => each.stderr().trimEnd().split('\n'));
    return [
      ...lines.flat().filter((line) => line.includes(text) || line.includes('worker: ready')),
      '…',
      ...(lines.at(-1) ?? []).slice(-10),
    ];
  }

  async stop(): Promise<void> {
    await (await this.process).stop('SIGKILL');
  }

  private async start(): Promise<TestProcess> {
    const started = startProcess('worker.ts', [], this.environment);
    this.started.push(started);
    await started.says('ready');
    this.readyAt = performance.now();
    return started;
  }
}
