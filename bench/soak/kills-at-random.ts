import { setTimeout as delay } from 'node:timers/promises';
import { startProcess, type TestProcess } from '../../test/support/processes.ts';
import { killPart } from '../../test/support/test-stack.ts';

/** Time between two kills, in milliseconds. */
const EVERY = { least: 20_000, most: 60_000 };
/** Maximum time until a killed process is restarted, in milliseconds. */
const AWAY = 15_000;

const VICTIMS = ['worker', 'monitor', 'kafka', 'temporal', 'postgres'] as const;
type Victim = (typeof VICTIMS)[number];

/** A worker and two monitors as in production; these and their servers are killed with SIGKILL, and restarted. */
export class KillsAtRandom {
  private readonly processes = new Map<string, TestProcess>();
  private readonly kills = new Map<Victim, number>();

  constructor(
    private readonly environment: Record<string, string>,
    private readonly queue: string,
    private readonly home: string,
  ) {}

  async start(): Promise<void> {
    for (const name of ['worker', 'monitor 1', 'monitor 2']) await this.startProcess(name);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.processes.values()].map((each) => each.stop('SIGKILL')));
  }

  /** Kills one process after the other for `ms` milliseconds. At the end all processes run. */
  async during(ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    for (;;) {
      await delay(Math.min(between(EVERY.least, EVERY.most), Math.max(0, deadline - performance.now())));
      if (performance.now() >= deadline) return;
      const victim = VICTIMS[Math.floor(Math.random() * VICTIMS.length)] as Victim;
      const awayMs = between(0, AWAY);
      process.stderr.write(
        `${victim} is killed, for ${(awayMs / 1_000).toFixed(0)} s; ${((deadline - performance.now()) / 60_000).toFixed(1)} min left\n`,
      );
      this.kills.set(victim, (this.kills.get(victim) ?? 0) + 1);
      if (victim === 'worker') await this.killProcess('worker', awayMs);
      else if (victim === 'monitor') await this.killProcess(`monitor ${1 + Math.floor(Math.random() * 2)}`, awayMs);
      else await killPart(victim, awayMs, this.home);
    }
  }

  summary(): string {
    return VICTIMS.map((victim) => `${victim} ${this.kills.get(victim) ?? 0}`).join(', ');
  }

  private async killProcess(name: string, awayMs: number): Promise<void> {
    await this.processes.get(name)?.stop('SIGKILL');
    await delay(awayMs);
    await this.startProcess(name);
  }

  private async startProcess(name: string): Promise<void> {
    const role = name === 'worker' ? [] : ['--monitors'];
    const child = startProcess('worker.ts', [...role, '--queue', this.queue], this.environment);
    this.processes.set(name, child);
    await child.says('ready');
  }
}

function between(least: number, most: number): number {
  return least + Math.random() * (most - least);
}
