import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type PartName, type Stack, stackStatus, startStack } from '../../dev/stack.ts';
import { ROOT } from '../../lib/environment.ts';
import { createProgress } from '../../lib/progress.ts';
import { cleanups } from './cleanups.ts';
import { eventually } from './eventually.ts';

/**
 * The suite's own servers, never those of a developer's environment, which may contain data. Two concurrent test runs need two stacks
 * (dev/launch/run-mode.mjs).
 */
export const TEST_HOME = join(ROOT, '.sluice', process.env.SLUICE_TEST_STACK ?? 'test');

/** `SLUICE_TEST_TEMPORAL=postgres` tests with a production-like Temporal server instead of the dev server. */
const ON_POSTGRES = process.env.SLUICE_TEST_TEMPORAL === 'postgres';

const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(SLUICE|TEMPORAL)_/.test(name)));
const stacks = new Map<PartName, Promise<Stack>>();
const ALL: readonly PartName[] = ['temporal', 'postgres', 's3', 'spark'];

/** The variables with the servers' addresses. */
export interface TestStack {
  /** Without encryption, for tests that read raw histories. */
  readonly environment: Record<string, string>;
  /** With a key, as in the local stack: payloads are encrypted. */
  readonly encrypting: Record<string, string>;
}

/**
 * Starts the parts that a test needs, once for the whole suite, and returns their addresses. They are stopped when the suite ends
 * (test/support/stop-stack.ts). Give the calling hook a long timeout: the very first start fetches the programs.
 * @throws Error when a part is not available on this machine
 */
export async function testStack(parts: readonly PartName[] = ALL): Promise<TestStack> {
  const started = await Promise.all(parts.map(startOnce));
  for (const { parts: statuses } of started) {
    for (const { name, state, detail } of statuses) if (state === 'missing') throw new Error(`The suite needs ${name}: ${detail}`);
  }
  const values = Object.assign({}, ...started.map((stack) => stack.environment)) as Record<string, string>;
  const environment = Object.fromEntries(Object.entries(values).filter(([name]) => !name.startsWith('SLUICE_PAYLOAD_')));
  return { environment, encrypting: values };
}

function startOnce(name: PartName): Promise<Stack> {
  const start = async (): Promise<Stack> => {
    const part = meant(name);
    if (part === 'temporal-postgres') await startOnce('postgres');
    return startStack({ home: TEST_HOME, parts: [part], environment, progress: createProgress() });
  };
  const stack = stacks.get(name) ?? start();
  stacks.set(name, stack);
  return stack;
}

function meant(name: PartName): PartName {
  return name === 'temporal' && ON_POSTGRES ? 'temporal-postgres' : name;
}

/**
 * Kills a server like a power failure, and restarts it on the same data and port.
 * @param away how long it is away, in milliseconds, or what to wait for meanwhile @param home the folder of its stack
 */
export async function killPart(part: PartName, away: number | (() => Promise<void>) = 0, home = TEST_HOME): Promise<void> {
  const name = meant(part);
  const { pid } = (await stackStatus(home)).find((each) => each.name === name) ?? {};
  if (pid === undefined) throw new Error(`No ${name} is running in ${home}.`);
  // The whole group that it leads: the program may be a script that has started the server.
  process.kill(-pid, 'SIGKILL');
  // Its port is in use until the processes are gone; a restart would choose another one.
  await eventually(() => Promise.resolve(assert.throws(() => process.kill(-pid, 0))));
  await (typeof away === 'number' ? new Promise((resolve) => setTimeout(resolve, away)) : away());
  await startStack({ home, parts: [name], environment, progress: createProgress() });
}

/** Stops what `testStack` has started. */
export async function stopTestStack(): Promise<void> {
  await Promise.all([...stacks.values()].map(async (stack) => (await stack).stop()));
  stacks.clear();
}
cleanups.add(stopTestStack);
