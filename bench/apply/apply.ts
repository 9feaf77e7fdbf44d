import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack } from '../../dev/stack.ts';
import { type Environment, ROOT } from '../../lib/environment.ts';
import { createProgress } from '../../lib/progress.ts';
import { connectClient } from '../../temporal/connect.ts';
import { listSchedules } from '../../temporal/schedules/schedules.ts';
import type { Measure } from '../measure.ts';

const PIPELINES = 10_000;
const TEAMS = 100;
const MAX_VALIDATE_S = 5;
const MAX_APPLY_S = 15;

/** Measures `sluice validate` and `sluice apply` of a large project, as processes. */
export async function benchApply(): Promise<Measure[]> {
  const stack = await startStack({
    home: join(ROOT, '.sluice', 'bench'),
    parts: ['temporal'],
    environment: {},
    progress: createProgress(),
  });
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const environment = { ...stack.environment, SLUICE_TASK_QUEUE: `bench-apply-${randomUUID()}` };
  try {
    await writeProject(folder);
    const pipelines = join(folder, 'pipelines');
    const validate = await sluice(['validate', pipelines], environment);
    const first = await sluice(['apply', pipelines, '--no-wait', '-o', 'json'], environment);
    const second = await sluice(['apply', pipelines, '--no-wait', '-o', 'json'], environment);
    const writes = (JSON.parse(second.stdout) as unknown[]).length + PIPELINES - (await countSchedules(environment));
    return [
      limit('validate of 10,000 pipelines', validate.seconds, MAX_VALIDATE_S),
      { what: 'first apply of 10,000 pipelines', measured: seconds(first.seconds), wanted: 'stated', reached: true },
      limit('second apply, unchanged', second.seconds, MAX_APPLY_S),
      { what: 'its writes to Temporal', measured: String(writes), wanted: '0', reached: writes === 0 },
    ];
  } finally {
    await rm(folder, { recursive: true });
    await stack.stop();
  }
}

async function writeProject(folder: string): Promise<void> {
  await writeFile(join(folder, 'package.json'), '{"name": "bench"}');
  for (let team = 0; team < TEAMS; team++) await mkdir(join(folder, 'pipelines', `team${team}`), { recursive: true });
  const unique = randomUUID().slice(0, 8);
  for (let index = 0; index < PIPELINES; index++) {
    // Yearly, so that no run becomes due during the measurement.
    const text = `dag_id: bench_${unique}_${index}\nschedule_interval: "@yearly"\ntasks:\n  - {name: a, type: postgres_to_s3, source_table: t${index}, s3_bucket: raw-data}\n`;
    await writeFile(join(folder, 'pipelines', `team${index % TEAMS}`, `p${index}.yaml`), text);
  }
}

async function sluice(args: readonly string[], environment: Environment): Promise<{ seconds: number; stdout: string }> {
  process.stderr.write(`sluice ${args[0]}\n`);
  const began = performance.now();
  const child = spawn(process.execPath, [join(ROOT, 'bin/sluice.mjs'), ...args], {
    env: { ...process.env, ...environment, TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`sluice ${args.join(' ')} ended with ${String(code)}`);
  return { seconds: (performance.now() - began) / 1000, stdout };
}

async function countSchedules(environment: Environment): Promise<number> {
  const client = await connectClient(environment);
  try {
    return (await listSchedules(client, environment.SLUICE_TASK_QUEUE ?? '')).length;
  } finally {
    await client.connection.close();
  }
}

function limit(what: string, measured: number, most: number): Measure {
  return { what, measured: seconds(measured), wanted: `≤ ${most} s`, reached: measured <= most };
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}
