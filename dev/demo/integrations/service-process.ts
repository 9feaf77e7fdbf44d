import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { PACKAGE } from '../../../lib/roots.ts';

/** The recommendation service of `examples/integrations/`. */
export const RECOMMENDATIONS = join(PACKAGE, 'examples', 'integrations', 'services', 'recommendations');

/** A running service. */
export interface ServiceProcess {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly pid: number;
  /** Ends the process. */
  close(): Promise<void>;
}

/** Thrown when a service ends before it listens; the message has its last lines. */
export class ServiceNotStarted extends Error {
  override readonly name = 'ServiceNotStarted';
}

const LINES_KEPT = 12;

/**
 * Starts a service in Python on a free port of this machine, and waits until it listens.
 * @param folder contains `serve.py`
 * @param settings its variables besides PATH, such as `API_KEYS`
 * @throws ServiceNotStarted
 */
export async function startService(python: string, folder: string, settings: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  const child = spawn(python, ['serve.py'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    if (lines.length > LINES_KEPT) lines.shift();
  });
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()).once('error', () => resolve()));
  const failed = ended.then((): never => {
    throw new ServiceNotStarted(`The service in ${folder} ended before it listened: ${lines.join('\n') || 'it wrote no reason'}`);
  });
  failed.catch(() => undefined);
  const [url] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), failed])) as [string];
  return {
    url,
    pid: child.pid ?? 0,
    async close() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
