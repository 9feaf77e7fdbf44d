import { chmod, mkdir } from 'node:fs/promises';
import type { Progress } from '../lib/progress.ts';
import { partsNamed } from './servers/parts/catalog.ts';
import { type Part, type PartName, usualParts } from './servers/parts/part.ts';
import { startPart, type StartedPart } from './servers/start-part.ts';
import { replaceStackEnvironment, withoutOwnValues } from './stack-environment.ts';
import { StackFailed } from './stack-errors.ts';
import type { PartStatus } from './stack-status.ts';
import { stopStack } from './stop-stack.ts';
import { errorText } from '../workflows/plan/values/error-text.ts';

export { type PartName, partNames } from './servers/parts/part.ts';
export { readStackEnvironment } from './stack-environment.ts';
export { StackBusy, StackFailed } from './stack-errors.ts';
export { type PartStatus, stackStatus } from './stack-status.ts';
export { cleanStack, stopStack } from './stop-stack.ts';

export interface StackOptions {
  /** The `.sluice` folder, absolute. */
  readonly home: string;
  /** Default: all. */
  readonly parts?: readonly PartName[];
  /** Default: `process.env`. */
  readonly environment?: NodeJS.ProcessEnv;
  readonly progress: Progress;
}

export interface Stack {
  /** Variables to merge over the process's environment. Contains none that the user has set. */
  readonly environment: Record<string, string>;
  readonly parts: PartStatus[];
  /** Stops only the parts that this call started. */
  stop(): Promise<void>;
}

/**
 * Starts the local stack: skips parts that the environment names, reuses running ones, finds or fetches the rest, all concurrently. A part
 * that is not available on this machine is `missing` in `parts`.
 *
 * @throws StackFailed when an available part does not start.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { home, progress } = options;
  await mkdir(home, { recursive: true });
  // Only the user may access data, logs and passwords of the servers.
  await chmod(home, 0o700);
  const context = { home, environment: await withoutOwnValues(home, options.environment ?? process.env) };
  const chosen = partsNamed(options.parts ?? usualParts);
  const results = await Promise.allSettled(chosen.map((part) => startPart(part, context, progress)));
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const environment = valuesOf(started, context.environment);
  await replaceStackEnvironment(home, chosen, environment);
  throwFailures(chosen, results);
  const own = started.filter((one) => one.startedHere).map((one) => one.part.name);
  return {
    environment,
    parts: started.map((one) => one.status),
    stop: async () => {
      if (own.length > 0) await stopStack(home, own);
    },
  };
}

/** Keeps variables that the user has set, such as another source with the local warehouse. */
function valuesOf(started: readonly StartedPart[], environment: NodeJS.ProcessEnv): Record<string, string> {
  const values = started.flatMap((one) => Object.entries(one.environment));
  return Object.fromEntries(values.filter(([name]) => !environment[name]));
}

function throwFailures(parts: readonly Part[], results: readonly PromiseSettledResult<StartedPart>[]): void {
  const reasons = results.flatMap((result, index) => {
    if (result.status === 'fulfilled') return [];
    const message = errorText(result.reason);
    return [{ title: parts[index]?.title ?? '', message, reason: result.reason as unknown }];
  });
  if (reasons.length === 0) return;
  const message = reasons.map((one) => (one.message.startsWith(one.title) ? one.message : `${one.title}: ${one.message}`)).join('\n\n');
  throw new StackFailed(message, { cause: reasons[0]?.reason });
}
