import { ApplicationFailure } from '@temporalio/activity';
import type { HttpService } from '../../lib/connections.ts';
import { ForeignAddress, type HttpAnswer } from '../../lib/http.ts';
import type { Json } from '../../workflows/plan/json.ts';
import { platformFault, userFault } from '../errors.ts';

/** What it means for the analyst that a service did not answer. */
export function httpFailure(error: unknown, { url }: HttpService, path: string): Error {
  if (error instanceof ForeignAddress || error instanceof RangeError) return userFault('InvalidParameters', error.message);
  // `fetch` says nothing but that it failed; the reason is its cause.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = cause instanceof Error ? cause.message || cause.name : String(cause);
  return platformFault(
    'ServiceUnavailable',
    `${url} did not answer ${path}: ${text}. Check that the service runs and can be reached from this worker; the task will try again.`,
    error,
  );
}

/** Answers that may be others in a moment. */
const MAY_PASS: ReadonlySet<number> = new Set([408, 409, 423, 425, 429]);

/**
 * What it means that a service answered otherwise than wanted.
 * @param condition what the answer should have fulfilled; undefined when its status is wrong
 */
export function refusal({ status, headers, body }: HttpAnswer, { url }: HttpService, call: string, condition?: string): Error {
  const shown = body === null ? '' : ` Its answer: ${textOf(body).slice(0, 500)}`;
  const message = `${url} answers ${call} with ${status}${condition === undefined ? '' : `, but not: ${condition}`}.${shown}`;
  if (condition === undefined && status < 500 && !MAY_PASS.has(status)) return userFault('RequestRefused', message);
  const seconds = Number(headers['retry-after']);
  const failure = { type: 'ServiceUnavailable', message, nonRetryable: false };
  return ApplicationFailure.create({ ...failure, ...(seconds > 0 && { nextRetryDelay: seconds * 1_000 }) });
}

/** Of a page, the title says enough. */
function textOf(body: Json): string {
  if (typeof body !== 'string') return JSON.stringify(body);
  const [, title] = /<title>\s*([^<]*?)\s*<\/title>/i.exec(body) ?? [];
  return title === undefined ? body : `a page, '${title}'`;
}
