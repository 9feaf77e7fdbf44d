import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Environment, ROOT } from '../../lib/environment.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { Measure } from '../measure.ts';

const run = promisify(execFile);
const MOST_MEMORY = 200e6;

/** Measures the peak memory of a task in a separate process. */
export async function peakMemory(environment: Environment, type: string, params: JsonObject): Promise<Measure> {
  const child = [join(ROOT, 'dev/launch/run-program.mjs'), 'bench/reconcile/run-activity.ts', type, JSON.stringify(params)];
  const { stdout } = await run(process.execPath, child, { env: { ...process.env, ...environment } });
  const bytes = Number(stdout.trim());
  return {
    what: 'its peak memory, whole process',
    measured: `${(bytes / 1e6).toFixed(0)} MB`,
    wanted: `≤ ${MOST_MEMORY / 1e6} MB`,
    reached: bytes <= MOST_MEMORY,
  };
}
