import type { Client } from '@temporalio/client';
import { EXIT } from '../lib/exit-code.ts';
import type { Environment } from '../lib/environment.ts';
import type { Progress } from '../lib/progress.ts';
import { writeError } from '../lib/terminal.ts';
import { environmentOf, type Project } from '../project/load-project.ts';
import { connectClient } from '../temporal/connect.ts';
import { ensureSearchAttributes } from '../temporal/search-attributes.ts';
import { startSluiceProcess, type SluiceProcess } from './launch/sluice-process.ts';
import { type PartName, type Stack, StackBusy, StackFailed, startStack } from './stack.ts';

/** Thrown when a start cannot continue; the message says why. */
export class StartFailed extends Error {
  override readonly name = 'StartFailed';
}

export interface PlatformOptions {
  readonly project: Project;
  /** The folder of the local stack, absolute. */
  readonly home: string;
  /** Default: the usual ones. */
  readonly parts?: readonly PartName[];
  readonly progress: Progress;
  /** Whether the platform ends after `use`. */
  readonly once: boolean;
  /** Aborted by Ctrl-C, and when a process of the platform ends unexpectedly. */
  readonly stop: AbortController;
  /** Prepares the servers. @param onStop registers what to stop at the end @returns variables for the processes */
  prepare?(stack: Stack, settings: Environment, onStop: (end: () => Promise<void>) => void): Promise<Environment>;
}

/** A running local stack with a worker, monitors and a scheduler. */
export interface Platform {
  readonly environment: Environment;
  readonly client: Client;
}

/**
 * Starts the local stack, a worker, monitors and a scheduler of a project; all follow edits. Always stops what it started, in reverse order.
 * @param use runs while everything is up; without `once` everything then stays up until Ctrl-C @returns whether it succeeded
 * @returns the exit code
 */
export async function runPlatform(options: PlatformOptions, use: (platform: Platform) => Promise<boolean>): Promise<number> {
  const { project, home, parts, progress, once, stop, prepare } = options;
  const ends: (() => Promise<void>)[] = [];
  try {
    const stack = await startStack({ home, progress, ...(parts && { parts }) });
    ends.push(() => stack.stop());
    if (stop.signal.aborted) return EXIT.ok;
    const settings = environmentOf(project, { ...stack.environment, ...process.env, SLUICE_PROJECT: project.root });
    const environment = { ...settings, ...(await prepare?.(stack, settings, (end) => ends.push(end))) };
    const decodes = environment.SLUICE_CODEC_ENDPOINT !== undefined && environment.SLUICE_PAYLOAD_KEYS !== undefined;
    const codec = decodes ? (['codec'] as const) : [];
    for (const name of [...codec, 'worker', 'monitors', 'scheduler'] as const) {
      if (stop.signal.aborted) return EXIT.ok;
      const child = await startSluiceProcess(home, name, environment, progress, stop.signal);
      ends.push(() => child.stop());
      if (!once) watchOver(child, stop);
    }
    const client = await connectClient(environment);
    ends.push(() => client.connection.close());
    await ensureSearchAttributes(client);
    const succeeded = await use({ environment, client });
    const missing = stack.parts.filter(({ state }) => state === 'missing');
    if (missing.length > 0) say(missing.map(({ name, detail }) => `${name} is missing: ${detail}`).join('\n'));
    if (once || stop.signal.aborted) return succeeded || stop.signal.aborted ? EXIT.ok : EXIT.failed;
    say('\nEverything stays up. Ctrl-C ends it; the data is kept for the next start.');
    await new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }));
    return EXIT.ok;
  } catch (error) {
    if (stop.signal.aborted) return EXIT.ok;
    const expected = error instanceof StackFailed || error instanceof StackBusy || error instanceof StartFailed;
    say(expected ? `\n${error.message}` : error instanceof Error ? (error.stack ?? error.message) : String(error));
    return EXIT.failed;
  } finally {
    const step = progress.step('Stopping');
    for (const end of ends.reverse()) await end();
    step.done();
  }
}

/** Stops everything when a process ends unexpectedly: a partial platform is not useful. */
function watchOver(child: SluiceProcess, stop: AbortController): void {
  void child.ended().then((reason) => {
    if (stop.signal.aborted) return;
    say(`\nThe ${child.name} ended: ${reason}. Its log: ${child.log}`);
    process.exitCode = EXIT.failed;
    stop.abort();
  });
}

/** Prints a message to stderr. */
export function say(text: string): void {
  writeError(`${text}\n`);
}
