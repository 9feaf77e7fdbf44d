import { createServer, type Server, type ServerResponse } from 'node:http';
import { InvalidArgumentError } from 'commander';
import type { Log } from './logging.ts';

/** The health of a process. */
export interface Health {
  /** Whether it works, or is finishing its work. */
  readonly isHealthy: boolean;
  /** Whether it accepts new work. */
  readonly isReady: boolean;
  /** Shown on the pages as JSON. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** Command-line options of the health pages. */
export interface HealthOptions {
  readonly healthHost: string;
  /** 0 picks a free port. */
  readonly healthPort: number;
}

/**
 * Serves `/healthz` and `/readyz`: 200 if the process is healthy, or ready, and 503 otherwise, with details as JSON. Does not keep the
 * process alive.
 * @param check called for each request
 */
export async function serveHealth({ healthHost, healthPort }: HealthOptions, log: Log, check: () => Promise<Health>): Promise<Server> {
  const answer = async (url: string | undefined, response: ServerResponse): Promise<void> => {
    if (url !== '/healthz' && url !== '/readyz') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('The health pages are /healthz and /readyz.\n');
      return;
    }
    const { isHealthy, isReady, details } = await check();
    const isGood = url === '/healthz' ? isHealthy : isReady;
    const body = { healthy: isHealthy, ready: isReady, ...details };
    response.writeHead(isGood ? 200 : 503, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
  };
  const server = createServer((request, response) => {
    answer(request.url, response).catch((error: unknown) => response.writeHead(503).end(`${String(error)}\n`));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(healthPort, healthHost, resolve);
  });
  const address = server.address();
  if (typeof address === 'object' && address) log.info('health page', { url: `http://${healthHost}:${address.port}/healthz` });
  server.unref();
  return server;
}

/** @throws InvalidArgumentError */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
  return port;
}
