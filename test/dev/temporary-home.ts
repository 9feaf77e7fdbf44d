import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'mocha';
import { type Progress, silentProgress } from '../../lib/progress.ts';
import { processIdentity } from '../../dev/launch/process-identity.mjs';
import { cleanStack, type PartName, type Stack, startStack } from '../../dev/stack.ts';
import { until } from '../support/eventually.ts';

/** A stack of one test's own: a temporary home, an empty cache, and a PATH with nothing but what the test puts there. */
export interface TemporaryHome {
  readonly root: string;
  readonly home: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Puts a program on the PATH of this home. */
  program(name: string, source: string): Promise<string>;
  start(parts: readonly PartName[], more?: { environment?: NodeJS.ProcessEnv; progress?: Progress }): Promise<Stack>;
}

/** Kills a server, and waits until it has ended. */
export async function killProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  assert.ok(await until(() => processIdentity(pid) === undefined, 10_000, 5), `process ${pid} has not ended`);
}

const made: TemporaryHome[] = [];

/** Makes a home; it is cleaned after the test, servers and all. */
export async function temporaryHome(): Promise<TemporaryHome> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-dev-'));
  await chmod(root, 0o755); // PostgreSQL's user has to get through
  const bin = join(root, 'bin');
  const home = join(root, 'home');
  await mkdir(bin);
  const environment = { PATH: bin, HOME: root, XDG_CACHE_HOME: join(root, 'cache') };
  const made_: TemporaryHome = {
    root,
    home,
    environment,
    program: async (name, source) => {
      const path = join(bin, name);
      await writeFile(path, source, { mode: 0o755 });
      return path;
    },
    start: (parts, more = {}) =>
      startStack({ home, parts, environment: { ...environment, ...more.environment }, progress: more.progress ?? silentProgress }),
  };
  made.push(made_);
  return made_;
}

afterEach(async () => {
  for (const { home, root } of made.splice(0)) {
    await cleanStack(home);
    await rm(root, { recursive: true, force: true });
  }
});

/**
 * A `temporal` that answers like the real one as far as the stack looks, and writes a line to `<db>.starts` at each start. `misbehave` is
 * JavaScript that runs first.
 */
export function fakeTemporal(misbehave = ''): string {
  return `#!${process.execPath}
const { appendFileSync } = require('node:fs');
const { createServer } = require('node:http');
const args = process.argv.slice(2);
const value = (name) => args[args.indexOf(name) + 1];
if (args[0] === '--version') {
  console.log('temporal version 1.6.0 (Server 1.30.0, UI 2.45.0)');
} else {
  appendFileSync(value('--db-filename') + '.starts', process.pid + '\\n');
  ${misbehave}
  for (const port of ['--port', '--ui-port']) {
    createServer((request, response) => response.end('{}')).listen(Number(value(port)), '127.0.0.1');
  }
  process.on('SIGTERM', () => process.exit(0));
}
`;
}
