import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { type Environment, ROOT } from '../../lib/environment.ts';
import { listSchedules } from '../../temporal/schedules/schedules.ts';
import type { Measure } from '../measure.ts';

const PIPELINES = 1000;

/** Measures `scheduler.ts` as a process with unchanged pipelines. */
export async function measureApply(client: Client, environment: Environment): Promise<Measure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const taskQueue = `bench-apply-${randomUUID()}`;
  const unique = randomUUID().slice(0, 8);
  try {
    for (let index = 0; index < PIPELINES; index++) {
      // Yearly, so that no run becomes due during the measurement.
      const text = `dag_id: bench_${unique}_${index}\nschedule_interval: "@yearly"\ntasks:\n  - {name: a, type: postgres_to_s3, source_table: t${index}, s3_bucket: raw-data}\n`;
      await writeFile(join(folder, `p${index}.yaml`), text);
    }
    process.stderr.write(`apply of ${PIPELINES} pipelines: the first time\n`);
    await apply(folder, taskQueue, environment);
    process.stderr.write(`apply of ${PIPELINES} pipelines: unchanged\n`);
    const began = performance.now();
    await apply(folder, taskQueue, environment);
    const seconds = (performance.now() - began) / 1000;
    const schedules = await listSchedules(client, taskQueue);
    let written = PIPELINES - schedules.length;
    for (const { dagId } of schedules) {
      const handle = client.schedule.getHandle(dagId);
      if ((await handle.describe()).info.lastUpdatedAt) written++;
      await handle.delete();
    }
    return [
      { what: 'apply of 1,000 unchanged pipelines', measured: `${seconds.toFixed(1)} s`, wanted: '< 10 s', reached: seconds < 10 },
      { what: 'its writes to Temporal', measured: String(written), wanted: '0', reached: written === 0 },
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function apply(folder: string, taskQueue: string, environment: Environment): Promise<void> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(ROOT, 'scheduler.ts'), '--pipelines', folder, '--task-queue', taskQueue, '--no-wait'],
    {
      cwd: ROOT,
      env: { ...process.env, ...environment, TZ: 'UTC' },
      stdio: ['ignore', 'ignore', 'ignore'],
    },
  );
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`scheduler.ts ended with ${String(code)}`);
}
