import { AsyncLocalStorage } from 'node:async_hooks';
import { EXIT } from './exit-code.ts';
import type { Log } from './logging.ts';
import { linkedController } from './linked-controller.ts';
import { ignoreFailedOutput, writeError } from './terminal.ts';

/**
 * An error that no caller could catch: from a callback of a driver, a stream or a timer, or an unhandled rejection. `cause` is the original
 * error.
 */
export class CallbackError extends Error {
  override readonly name = 'CallbackError';

  constructor(cause: unknown) {
    const { name, message } = cause instanceof Error ? cause : { name: 'Error', message: String(cause) };
    super(`A callback failed: ${name}: ${message}${sourceOf(cause)}`, { cause });
  }
}

/** Running work, and the function that ends it. */
interface Owner {
  readonly name: string;
  hasEnded: boolean;
  fail(error: CallbackError): void;
}

/** The owner that a callback inherits from the code that registered it. */
const owners = new AsyncLocalStorage<Owner>();

/** Time for work to clean up after one of its callbacks failed, in milliseconds. */
const CLEAN_UP_MS = 10_000;

/**
 * Runs `work`, and fails when a callback that it registered throws: aborts its signal and gives it 10 s to clean up.
 * Works in processes that have called `surviveCallbackErrors`.
 * @param name the name of the work in the log
 * @param parent also aborts the work
 * @throws CallbackError for an error in a callback; else what `work` throws
 */
export async function failOnCallbackError<T>(
  name: string,
  parent: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = linkedController(parent);
  const owner: Owner = { name, hasEnded: false, fail: () => undefined };
  let failure: CallbackError | undefined;
  let cleanUp: NodeJS.Timeout | undefined;
  const cleanUpIsOver = new Promise<never>((_, reject) => {
    owner.fail = (error) => {
      failure ??= error;
      cleanUp ??= setTimeout(() => reject(error), CLEAN_UP_MS);
      controller.abort(failure);
    };
  });
  try {
    const result = await Promise.race([owners.run(owner, () => work(controller.signal)), cleanUpIsOver]);
    if (failure !== undefined) throw failure;
    return result;
  } catch (error) {
    // A driver reports an abort with its own error, so throw the original failure.
    throw failure ?? error;
  } finally {
    owner.hasEnded = true;
    clearTimeout(cleanUp);
    controller.abort();
  }
}

/** Names of errors at the start of a process whose message is for the user. */
const FOR_USERS: ReadonlySet<string> = new Set(['ProjectError', 'SettingError']);

/** Ends the process after an error outside of callbacks, such as a fatal error of the Temporal SDK, which the process must not survive. */
export function endProcess(error: unknown): never {
  const text = error instanceof Error ? (FOR_USERS.has(error.name) ? error.message : error.stack) : String(error);
  writeError(`${text}\n`);
  process.exit(EXIT.failed);
}

/**
 * Keeps this process alive after an error in a callback or an unhandled rejection. The error fails the work that registered the callback
 * (`failOnCallbackError`); if that is unknown or has ended, it is logged. A process whose log cannot be written continues without it.
 * Call it once, before any other work.
 * @param isFatal whether an error without an owner leaves the process unusable: then it exits with code 1
 */
export function surviveCallbackErrors(log: Log, isFatal: (error: unknown) => boolean = () => false): void {
  const handle = (error: unknown): void => {
    const owner = owners.getStore();
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (owner !== undefined && !owner.hasEnded) {
      log.error(`A callback of ${owner.name} failed; ${owner.name} fails, everything else continues.\n${stack}`);
      owner.fail(new CallbackError(error));
      return;
    }
    if (owner === undefined && isFatal(error)) {
      log.error(`This process cannot continue and ends: a callback of the Temporal SDK failed.\n${stack}`);
      process.exit(1);
    }
    const origin = owner === undefined ? 'no task, sensor or monitor' : `${owner.name}, which had ended before`;
    log.error(`A callback of ${origin} failed; the process continues.\n${stack}`);
  };
  ignoreFailedOutput();
  process.on('uncaughtException', handle);
  process.on('unhandledRejection', handle);
}

/** The package that threw `error`, such as ` (in pg)`; empty if unknown. */
function sourceOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const frame = stack.split('\n').find((line) => /^\s+at /.test(line) && !line.includes('node:')) ?? '';
  const [, name] = /.*node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)[/\\]/.exec(frame) ?? [];
  return name === undefined ? '' : ` (in ${name})`;
}
