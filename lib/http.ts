import { readFileSync } from 'node:fs';
import { decodeBody, ENCODINGS } from './http/decode-body.ts';
import { exchange, type Request } from './http/exchange.ts';
import { CertificateRefused, ForeignAddress, InvalidRequest, RedirectRefused } from './http/http-errors.ts';
import { limitRequests, pauseRequests } from './http/limit-requests.ts';
import { isJsonType } from './http/media-type.ts';
import { MAX_REDIRECTS, redirected, redirectTarget } from './http/redirect.ts';
import { retryAfterMs } from './http/retry-after.ts';
import type { RateLimit } from './rate-limit.ts';
import { withinTime } from './time-limit.ts';
import { exactJsonText } from '../workflows/plan/values/exact-json.ts';
import { hasDotSegment } from '../workflows/plan/values/dot-segments.ts';
import type { Json } from '../workflows/plan/values/json.ts';

/** An HTTP service. */
export interface HttpService {
  /** `https://host/base`; request paths are appended. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: string;
  /** A PEM file with trusted certificate authorities; absent: those of the machine. */
  readonly ca_file?: string;
}

/** An HTTP service that limits how often it is called. */
export interface LimitedHttpService extends HttpService {
  /** Requests wait for their turn, and for the end of a pause that the service asks for, outside of their time limit. Absent: they are sent at once. */
  readonly rate_limit?: RateLimit;
}

/** A request to a service. */
export interface HttpCall {
  readonly method?: string;
  /** Relative to the address of the connection, including the query; or a full address at the same origin. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON with any method; text is sent unchanged if `headers` set another content type. */
  readonly body?: Json;
  /** Sent as `application/x-www-form-urlencoded` instead of a body. */
  readonly form?: Readonly<Record<string, string>>;
  /** Redirects with these codes are returned as responses; `manual`: all. Others are followed at the same origin if nothing is lost. */
  readonly redirect?: 'manual' | readonly number[];
  /** Time limit for the response, including its body and all redirects, in milliseconds. Default: 60 s. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

/** A response of a service. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in lowercase. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON if it parses, else text; null if empty. */
  readonly body: Json;
}

/** Longer responses are rejected: bulk data belongs in S3. In bytes. */
const MAX_BYTES = 10 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Calls a service. Every status is a response, not an error.
 * @throws TimeLimitExceeded, the errors of http/http-errors.ts, and Node's errors with their reason if there is no response
 */
export async function callHttp(connection: LimitedHttpService, call: HttpCall): Promise<HttpAnswer> {
  const { redirect = [], timeoutMs = DEFAULT_TIMEOUT_MS } = call;
  await limitRequests(connection, call.signal);
  return withinTime(timeoutMs, call.signal, async (signal) => {
    let request = requestOf(connection, call);
    const { origin } = request.url;
    for (let count = 0; count <= MAX_REDIRECTS; count++) {
      const response = await exchange(request, MAX_BYTES, signal);
      const isAnswer = redirect === 'manual' || redirect.includes(response.status);
      const target = isAnswer ? undefined : redirectTarget(request, response);
      if (target !== undefined) {
        request = redirected(request, response.status, target);
        await limitRequests(connection, signal);
        continue;
      }
      const { status, headers } = response;
      const pauseMs = status === 429 ? retryAfterMs(headers['retry-after'], Date.now()) : undefined;
      if (pauseMs !== undefined) pauseRequests(connection, pauseMs);
      return { status, headers, body: await decodeBody(response, MAX_BYTES) };
    }
    throw new RedirectRefused(`${origin} redirects ${call.path} more than ${MAX_REDIRECTS} times.`);
  });
}

function requestOf(connection: HttpService, { method = 'GET', path, headers = {}, body, form }: HttpCall): Request {
  const url = addressOf(connection, path);
  const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const content = contentOf(body, form, given['content-type']);
  const { ca_file: caFile } = connection;
  return {
    method,
    url,
    headers: {
      accept: 'application/json, */*;q=0.5',
      'accept-encoding': ENCODINGS,
      'user-agent': 'sluice',
      ...(content && { 'content-type': content.type }),
      ...authorization(connection),
      ...given,
    },
    ...(content && { body: content.text }),
    ...(caFile !== undefined && url.protocol === 'https:' && { ca: readCertificates(caFile) }),
  };
}

function addressOf({ url }: HttpService, path: string): URL {
  if (hasDotSegment(path.replace(/[?#].*$/s, '')))
    throw new InvalidRequest(`'${path}' has a part '.' or '..', which would lead to another path.`);
  const address = /^https?:\/\//.test(path) ? new URL(path) : new URL(`${url.replace(/\/$/, '')}/${path.replace(/^\//, '')}`);
  const { origin } = new URL(url);
  // The credentials of the connection are only for its own host.
  if (address.origin !== origin) throw new ForeignAddress(`'${path}' is not at ${origin}, where the connection is.`);
  address.username = address.password = address.hash = '';
  return address;
}

function contentOf(
  body: Json | undefined,
  form: HttpCall['form'],
  contentType: string | undefined,
): { type: string; text: string } | undefined {
  if (form !== undefined) return { type: 'application/x-www-form-urlencoded', text: new URLSearchParams(form).toString() };
  if (body === undefined) return undefined;
  const isText = typeof body === 'string' && contentType !== undefined && !isJsonType(contentType);
  return { type: 'application/json', text: isText ? body : exactJsonText(body) };
}

function authorization({ username, password = '', token }: HttpService): Record<string, string> {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (username === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

function readCertificates(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CertificateRefused(`'ca_file' of the connection cannot be read on this worker: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}
