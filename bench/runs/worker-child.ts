import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../lib/environment.ts';

/** A worker in a process of its own, which can be killed and weighed. */
export class WorkerChild {
  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    private readonly reader: Interface,
  ) {}

  /** Resolves when it is ready. @param args of bench/runs/worker.ts */
  static async start(environment: Environment, args: readonly string[]): Promise<WorkerChild> {
    const program = fileURLToPath(new URL('worker.ts', import.meta.url));
    const child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', program, ...args], {
      env: { ...process.env, ...environment, TZ: 'UTC' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const reader = createInterface({ input: child.stdout });
    const worker = new WorkerChild(child, reader[Symbol.asyncIterator](), reader);
    await worker.line();
    return worker;
  }

  /** Its resident memory in bytes, after a garbage collection. */
  async memory(): Promise<number> {
    this.child.stdin?.write('memory\n');
    return Number(await this.line());
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const gone = new Promise((resolve) => this.child.once('close', resolve));
    this.child.kill(signal);
    await gone;
    this.reader.close();
  }

  private async line(): Promise<string> {
    const line = await this.lines.next();
    if (line.done) throw new Error('The worker of the benchmark has ended.');
    return line.value;
  }
}
