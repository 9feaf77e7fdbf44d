import { ServiceError } from '@temporalio/client';
import { StartRefused, TemporalRefused } from '../workflows/plan/trigger.ts';

const INVALID_ARGUMENT = 3;
/** gRPC status codes of a server that cannot be reached or is busy; any other code is an answer. */
const NO_ANSWER: ReadonlySet<number> = new Set([
  1, // CANCELLED
  4, // DEADLINE_EXCEEDED
  8, // RESOURCE_EXHAUSTED
  13, // INTERNAL
  14, // UNAVAILABLE
]);
/** What the server says of a namespace that lacks search attributes: setup repairs it, and no event is at fault. */
const NAMESPACE_IS_AT_FAULT = /no mapping defined for search attribute|search attribute \S+ is not (?:defined|registered)/i;
/** gRPC's own limit for a request has a code that also means that the server is busy. */
const TOO_LARGE = /message larger than max/i;

/**
 * What an error of the client means to a sensor that starts a run.
 * @returns StartRefused when the run itself cannot be; TemporalRefused when the server answers and says no for now; else the error
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
