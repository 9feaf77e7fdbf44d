import type { Environment } from '../../lib/environment.ts';
import { Child } from '../child.ts';

/** Starts `worker.ts` of this folder with these arguments; measures its memory in bytes. */
export function startWorker(environment: Environment, args: readonly string[]): Promise<Child<number>> {
  return Child.start({ file: 'bench/runs/worker.ts', args, environment, flags: ['--expose-gc'] });
}
