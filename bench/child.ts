import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Environment, ROOT } from '../lib/environment.ts';

export interface Program {
  /** Its file, relative to the root; it calls `answer`. */
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Environment;
  /** Options for Node itself. */
  readonly flags?: readonly string[];
}

/** A child process that can be measured and killed. Uses IPC, because the core of Temporal's SDK writes warnings to stdout. */
export class Child<Weight> {
  private constructor(private readonly child: ChildProcess) {}

  /** Starts the process and waits until it answers. */
  static async start<Weight>({ file, args, environment, flags = [] }: Program): Promise<Child<Weight>> {
    const child = new Child<Weight>(
      fork(join(ROOT, 'dev/launch/run-program.mjs'), [file, ...args], {
        execArgv: [...flags],
        env: { ...process.env, ...environment, TZ: 'UTC' },
      }),
    );
    await child.message();
    return child;
  }

  /** Reads its costs so far and its current usage. @throws Error when it has ended */
  async weigh(): Promise<Weight> {
    const answer = this.message();
    this.child.send('weigh');
    return (await answer) as Weight;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.hasEnded) return;
    const gone = once(this.child, 'exit');
    this.child.kill(signal);
    await gone;
  }

  private get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  private async message(): Promise<unknown> {
    const heard = new AbortController();
    const { signal } = heard;
    const [message] = (await Promise.race([once(this.child, 'message', { signal }), once(this.child, 'exit', { signal })])) as [unknown];
    heard.abort();
    if (this.hasEnded) throw new Error('The child process of the benchmark has ended.');
    return message;
  }
}

/** Called in the child: reports that it is ready, and answers each measurement request. */
export function answer(weigh: () => unknown): void {
  process.on('message', () => {
    void Promise.resolve(weigh()).then((weight) => process.send?.(weight));
  });
  process.send?.('ready');
}

/** CPU time that this process has used so far, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
