import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Environment } from '../../lib/environment.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import type { Measure } from '../measure.ts';
import { chain, INTERVAL } from './plans.ts';
import { startWorker } from './start-worker.ts';

const RUNS = 50;
const TASKS = 3;

/** Kills the only worker during 50 runs of three tasks, and restarts it after 5 s. */
export async function measureOutage(client: Client, environment: Environment): Promise<Measure[]> {
  process.stderr.write('SIGKILL of the only worker, and another one after 5 s\n');
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const [taskQueue, log] = [`bench-outage-${randomUUID()}`, join(folder, 'completed')];
  try {
    const first = await startWorker(environment, [taskQueue, '500', log]);
    const runs = await Promise.all(
      Array.from({ length: RUNS }, () => startManualRun(client, chain(TASKS), taskQueue, INTERVAL, randomUUID())),
    );
    await delay(1500);
    await first.stop('SIGKILL');
    await delay(5000);
    const second = await startWorker(environment, [taskQueue, '500', log]);
    const restarted = performance.now();
    const results = (await Promise.all(
      runs.map(({ pipelineRunId }) =>
        client.workflow
          .getHandle(pipelineRunId)
          .result()
          .catch(() => undefined),
      ),
    )) as (RunResult | undefined)[];
    const seconds = (performance.now() - restarted) / 1000;
    await second.stop();
    const completed = (await readFile(log, 'utf8')).trim().split('\n');
    const succeeded = results.filter((result) => result?.state === 'success').length;
    const twice = completed.length - new Set(completed).size;
    return [
      { what: 'worker killed during 50 runs: succeeded', measured: `${succeeded} of ${RUNS}`, wanted: 'all', reached: succeeded === RUNS },
      { what: 'the last one after the restart', measured: `${seconds.toFixed(1)} s`, wanted: '≤ 30 s', reached: seconds <= 30 },
      { what: 'tasks run twice to completion', measured: `${twice} of ${RUNS * TASKS}`, wanted: '0', reached: twice === 0 },
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}
