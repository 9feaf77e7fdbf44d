import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { READY_LINES } from '../../lib/ready-lines.ts';
import type { Environment } from '../../lib/environment.ts';
import { PACKAGE, projectRoot } from '../../lib/roots.ts';
import type { Progress } from '../../lib/progress.ts';
import { homePaths } from '../home.ts';
import { isAlive, launchServer, logTail, readRecord, removeRecord, stopServer } from '../servers/server-process.ts';
import { StackFailed } from '../stack-errors.ts';

/** A running `worker.ts` (with or without `--monitors`), `scheduler.ts`, or `sluice codec-server`. */
export interface SluiceProcess {
  readonly name: string;
  /** Its log file. */
  readonly log: string;
  /** Waits until it ends. Returns how it ended. */
  ended(): Promise<string>;
  stop(): Promise<void>;
}

const READY_MS = 60_000;
const POLL_MS = 100;

const PROCESSES = {
  worker: { title: 'Worker', args: ['worker', '--watch'], ready: `worker: ${READY_LINES.worker}` },
  monitors: { title: 'Monitors', args: ['worker', '--monitors', '--watch'], ready: `worker: ${READY_LINES.worker}` },
  codec: { title: 'Codec server', args: ['codec-server'], ready: READY_LINES.codecServer },
  scheduler: { title: 'Scheduler', args: ['scheduler', '--watch', '--prune'], ready: READY_LINES.scheduler },
} as const;

/**
 * Starts a Sluice process in a separate process group, so that Ctrl-C does not reach it directly, and waits until it is ready. First stops
 * a process that was left from a killed start, because it may run old code.
 * @throws StackFailed with the end of its log when it does not get ready
 */
export async function startSluiceProcess(
  home: string,
  name: keyof typeof PROCESSES,
  environment: Environment,
  progress: Progress,
  signal: AbortSignal,
): Promise<SluiceProcess> {
  const { title, args, ready } = PROCESSES[name];
  const step = progress.step(title);
  const leftOver = await readRecord(home, name);
  if (leftOver) await stopServer(leftOver);
  const command = {
    executable: process.execPath,
    args: [join(PACKAGE, 'bin', 'sluice.mjs'), ...args],
    environment: { ...environment },
    workingFolder: projectRoot(environment),
  };
  const { record, exit } = await launchServer(home, name, command, {}, 'SIGTERM');
  const stop = async (): Promise<void> => {
    await stopServer(record);
    await removeRecord(home, name);
  };
  for (const deadline = Date.now() + READY_MS; !logTail(home, name).includes(ready); await delay(POLL_MS)) {
    const ended = exit();
    if (ended === undefined && Date.now() < deadline && !signal.aborted) continue;
    await stop();
    step.fail(ended ?? (signal.aborted ? 'stopped' : 'not ready in time'));
    throw new StackFailed(
      `The ${name} did not start: ${ended ?? `not ready after ${READY_MS / 1000} s`}. The end of ${homePaths.log(home, name)}:\n${logTail(home, name)}`,
    );
  }
  step.done();
  return { name, log: homePaths.log(home, name), ended: () => endOf(record, exit), stop };
}

async function endOf(record: Parameters<typeof isAlive>[0], exit: () => string | undefined): Promise<string> {
  while (isAlive(record)) await delay(POLL_MS);
  return exit() ?? 'it is gone';
}
