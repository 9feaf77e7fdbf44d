import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { withFileLock } from '../launch/file-lock.mjs';
import { homePaths } from '../home.ts';
import { readJson, writeJson } from './json-file.ts';

export type Ports = Readonly<Record<string, number>>;

/**
 * Below the ephemeral port range (Linux from 32768, macOS from 49152): any outgoing connection could take such a port while the server is
 * down, and the server would return on another port.
 */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** The remembered ports of a part, even while it is down. */
export async function rememberedPorts(home: string, part: string): Promise<Ports | undefined> {
  return (await readJson<Record<string, Ports>>(homePaths.ports(home)))?.[part];
}

/**
 * Chooses free ports of 127.0.0.1 for the named uses of a part: the remembered ones if they are free, else new ones, which are remembered.
 */
export async function choosePorts(home: string, part: string, names: readonly string[]): Promise<Ports> {
  return withFileLock(homePaths.lock(home, 'ports'), async () => {
    const path = homePaths.ports(home);
    const all = (await readJson<Record<string, Ports>>(path)) ?? {};
    const taken = new Set(Object.values(all).flatMap((ports) => Object.values(ports)));
    const chosen: Record<string, number> = {};
    for (const name of names) {
      const remembered = all[part]?.[name];
      const port = remembered !== undefined && (await isFree(remembered)) ? remembered : await freePort(taken);
      taken.add(port);
      chosen[name] = port;
    }
    await writeJson(path, { ...all, [part]: chosen });
    return chosen;
  });
}

/** Whether no process listens on this port of 127.0.0.1. */
export async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Finds a free loopback port that is not `taken`. */
export async function freePort(taken: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST);
    if (!taken.has(port) && (await isFree(port))) return port;
  }
}
