import { cpuTimer } from './cpu-time.ts';
import { caseCount, IS_FULL } from './random-cases.ts';

/** `SLUICE_FUZZ_SEED` replays the inputs of the seed that a failed test reported. */
export const FUZZ_SEED = Number(process.env.SLUICE_FUZZ_SEED ?? (IS_FULL ? Date.now() % 1_000_000 : 22));

/** `SLUICE_CHAOS=full` tries 100,000 inputs of a new seed. @param short number of inputs in the normal suite, always the same */
export function fuzzCount(short: number): number {
  return caseCount(short, 100_000);
}

/** Tracks the input with the highest CPU time. */
export class Slowest {
  ms = 0;
  private shown = '';

  async measure<T>(input: Buffer | string, work: () => T | Promise<T>): Promise<T> {
    const took = cpuTimer();
    const result = await work();
    const ms = took();
    if (ms > this.ms) [this.ms, this.shown] = [ms, input.toString().slice(0, 300)];
    return result;
  }

  toString(): string {
    return `${Math.round(this.ms)} ms for ${this.shown}`;
  }
}
