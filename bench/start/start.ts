import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startStack } from '../../dev/stack.ts';
import { type Environment, ROOT } from '../../lib/environment.ts';
import { createProgress } from '../../lib/progress.ts';
import { READY_LINES } from '../../lib/ready-lines.ts';
import { foreignEnvironment, type InstalledPackage, installPackage } from '../../test/support/installed-package.ts';
import { type Measure, median } from '../measure.ts';

const STARTS = 7;
const MAX_READY_MS = 1_500;
const MAX_MEMORY_MB = 220;
const MAX_INSTALL_MB = 250;

/** A start of a worker. */
interface Start {
  /** From the start of the process until it is ready, in milliseconds. */
  readonly readyMs: number;
  /** The resident memory of the ready process, in MB. */
  readonly memoryMb: number;
}

/** Measures the published package: its installed size, and the start of a worker. */
export async function benchStart(): Promise<Measure[]> {
  const installed = await installPackage();
  const stack = await startStack({
    home: join(ROOT, '.sluice', 'bench'),
    parts: ['temporal'],
    environment: {},
    progress: createProgress(),
  });
  try {
    const starts: Start[] = [];
    // The first start fills the caches of the machine.
    for (let count = 0; count <= STARTS; count++) starts.push(await startWorker(installed, stack.environment));
    const measured = starts.slice(1);
    const readyMs = median(measured.map((start) => start.readyMs));
    const memoryMb = median(measured.map((start) => start.memoryMb));
    const installMb = await installedSize(installed.folder);
    return [
      measure('worker from the package: ready', `${(readyMs / 1_000).toFixed(2)} s`, '≤ 1.5 s', readyMs <= MAX_READY_MS),
      measure('its memory when ready', `${memoryMb.toFixed(0)} MB`, `≤ ${MAX_MEMORY_MB} MB`, memoryMb <= MAX_MEMORY_MB),
      measure('production installation', `${installMb} MB`, `≤ ${MAX_INSTALL_MB} MB`, installMb <= MAX_INSTALL_MB),
    ];
  } finally {
    await stack.stop();
    await installed.remove();
  }
}

function measure(what: string, measured: string, wanted: string, reached: boolean): Measure {
  return { what, measured, wanted, reached };
}

async function startWorker({ folder, command }: InstalledPackage, environment: Environment): Promise<Start> {
  const startedAt = performance.now();
  const worker = spawn(process.execPath, [command, 'worker', '--queue', `bench-start-${randomUUID()}`], {
    cwd: folder,
    env: { ...foreignEnvironment(), ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  try {
    await new Promise<void>((resolve, reject) => {
      let log = '';
      worker.stderr.on('data', (data: Buffer) => {
        log += data.toString();
        if (log.includes(`worker: ${READY_LINES.worker}`)) resolve();
      });
      void exited.then((code) => reject(new Error(`The worker ended with ${String(code)}:\n${log}`)));
    });
    const readyMs = performance.now() - startedAt;
    return { readyMs, memoryMb: await residentMb(worker.pid ?? 0) };
  } finally {
    worker.kill('SIGTERM');
    await exited;
  }
}

/** The resident memory of a process, from Linux. */
async function residentMb(pid: number): Promise<number> {
  const [, kilobytes = ''] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1_024;
}

async function installedSize(folder: string): Promise<number> {
  const { stdout } = await promisify(execFile)('du', ['-sm', join(folder, 'node_modules')]);
  return Number.parseInt(stdout, 10);
}
