import { ApplicationFailure } from '@temporalio/activity';
import type { HttpAnswer, HttpService } from '../../lib/http.ts';
import {
  AnswerTooLarge,
  CertificateRefused,
  ForeignAddress,
  InvalidRequest,
  RedirectRefused,
  UnreadableAnswer,
} from '../../lib/http/http-errors.ts';
import { MAX_RETRY_AFTER_MS, retryAfterMs } from '../../lib/http/retry-after.ts';
import { TimeLimitExceeded } from '../../lib/time-limit.ts';
import { formatDuration, parseDuration } from '../../workflows/plan/values/duration.ts';
import { exactJsonText } from '../../workflows/plan/values/exact-json.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import { platformFault, userFault } from '../run/errors.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** Methods that can be repeated with the same effect: RFC 9110, 9.2.2. */
const REPEATABLE: ReadonlySet<string> = new Set(['GET', 'PUT', 'DELETE']);

/**
 * Translates a missing or unusable answer into an error for the analyst.
 * @param call the method, and the task's key that sets its time limit; absent: the caller knows that it may repeat the call
 */
export function httpFailure(
  error: unknown,
  { url }: HttpService,
  path: string,
  call: { readonly method: string; readonly limitKey: string } = { method: 'GET', limitKey: 'timeout' },
): Error {
  if (error instanceof TimeLimitExceeded) return limitFailure(error, url, path, call);
  if (error instanceof ForeignAddress || error instanceof AnswerTooLarge || error instanceof InvalidRequest) {
    return userFault('InvalidParameters', error.message);
  }
  if (error instanceof RedirectRefused || error instanceof UnreadableAnswer)
    return userFault('RequestRefused', `${url} answers ${path} with what cannot be used: ${error.message}`);
  if (error instanceof CertificateRefused) return userFault('AccessDenied', error.message);
  const text = errorText(error);
  return platformFault(
    'ServiceUnavailable',
    `${url} did not answer ${path}: ${text}. Check that the service runs and can be reached from this worker; the task will try again.`,
    error,
  );
}

function limitFailure(
  { limitMs }: TimeLimitExceeded,
  url: string,
  path: string,
  call: { readonly method: string; readonly limitKey: string },
): Error {
  const { method, limitKey } = call;
  const what = `${url} did not answer ${method} ${path} within ${formatDuration(limitMs)} ('${limitKey}').`;
  if (REPEATABLE.has(method)) {
    return platformFault('ServiceUnavailable', `${what} Set '${limitKey}' if the service needs longer; the task will try again.`);
  }
  return userFault(
    'RequestTimedOut',
    `${what} It may have carried the request out, so the request is not repeated. Set '${limitKey}' if the service needs longer. If it recognizes repeated ` +
      `requests, by the header idempotency-key, allow them: \`retry_policy: [{on: RequestTimedOut, action: retry}]\`.`,
  );
}

/** The time limit given by a YAML key, such as `5m`. */
export function limitOf(timeout: string | undefined): { timeoutMs?: number } {
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout);
  return timeoutMs === undefined ? {} : { timeoutMs };
}

/** Status codes that may change on a retry. */
const MAY_PASS: ReadonlySet<number> = new Set([408, 409, 423, 425, 429]);

/**
 * Error for an unexpected answer.
 * @param condition the condition that the answer does not meet; undefined when its status is wrong
 */
export function refusal(answer: HttpAnswer, { url }: HttpService, call: string, condition?: string): Error {
  const { status, headers, body } = answer;
  const message = `${url} answers ${call} with ${status}${condition === undefined ? '' : `, but not: ${condition}`}.${shownBody(body)}`;
  if (condition === undefined && status < 500 && !MAY_PASS.has(status)) return userFault('RequestRefused', message);
  const pauseMs = retryAfterMs(headers['retry-after'], Date.now());
  const asked =
    pauseMs === MAX_RETRY_AFTER_MS ? ` It asks for a pause (retry-after: ${headers['retry-after']}); the next attempt is in an hour.` : '';
  return ApplicationFailure.create({
    type: 'ServiceUnavailable',
    message: message + asked,
    nonRetryable: false,
    ...(pauseMs !== undefined && { nextRetryDelay: pauseMs }),
  });
}

/** A sentence that shows the answer of a service; '' for an empty answer. */
export function shownBody(body: Json): string {
  return body === null ? '' : ` Its answer: ${textOf(body).slice(0, 500)}`;
}

/** Shows only the title of an HTML page. */
function textOf(body: Json): string {
  if (typeof body !== 'string') return exactJsonText(body);
  const [, title] = /<title>\s*([^<]*?)\s*<\/title>/i.exec(body) ?? [];
  return title === undefined ? body : `a page, '${title}'`;
}
