import { ServiceError } from '@temporalio/client';
import { StartRefused, TemporalRefused } from '../workflows/plan/trigger.ts';

const INVALID_ARGUMENT = 3;
/** gRPC status codes of a server that is unreachable or busy; any other code is an answer. */
const NO_ANSWER: ReadonlySet<number> = new Set([
  1, // CANCELLED
  4, // DEADLINE_EXCEEDED
  8, // RESOURCE_EXHAUSTED
  13, // INTERNAL
  14, // UNAVAILABLE
]);
/** The server's error for a namespace without search attributes: `sluice setup` fixes it, and the event is not at fault. */
const NAMESPACE_IS_AT_FAULT = /no mapping defined for search attribute|search attribute \S+ is not (?:defined|registered)/i;
/** The gRPC message size limit has a code that also means a busy server. */
const TOO_LARGE = /message larger than max/i;

/**
 * Explains an error of the client to a sensor that starts a run.
 * @returns StartRefused when the run itself is invalid; TemporalRefused when the server rejects it for now; else the error
 */
export function explainRefusal(error: unknown): unknown {
  if (!(error instanceof ServiceError)) return error;
  const { code, details } = (error.cause ?? {}) as { readonly code?: number; readonly details?: string };
  if (code === undefined) return error;
  const words = `Temporal refuses it: ${details ?? error.message}`;
  const isAboutRun = code === INVALID_ARGUMENT && !NAMESPACE_IS_AT_FAULT.test(words);
  if (isAboutRun || TOO_LARGE.test(words)) return new StartRefused(words, { cause: error });
  return NO_ANSWER.has(code) ? error : new TemporalRefused(words, { cause: error });
}
