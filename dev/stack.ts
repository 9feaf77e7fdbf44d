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
  /** What to merge over the process's environment. Holds nothing that the user has set. */
  readonly environment: Record<string, string>;
  readonly parts: PartStatus[];
  /** Stops the parts that this call started, no others. */
  stop(): Promise<void>;
}

/**
 * Gets the local stack going: what the environment names is left alone, what runs is reused, the rest is found or fetched and started, all
 * side by side. A part that the machine cannot have is `missing` in `parts`.
 *
 * @throws StackFailed when a part that is there does not start.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { home, progress } = options;
  await mkdir(home, { recursive: true });
  // Data, logs and passwords of the servers are the user's alone.
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

/** What the user has set is the user's: a source of one's own beside a local warehouse, for example. */
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
