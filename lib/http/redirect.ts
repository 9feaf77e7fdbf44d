import { RedirectRefused } from './http-errors.ts';
import type { Request, Response } from './exchange.ts';

/** Status codes that redirect to `location`. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Codes that keep method and body; the others turn a POST into a GET without a body. */
const KEEPING: ReadonlySet<number> = new Set([307, 308]);
/** The limit of browsers. */
export const MAX_REDIRECTS = 20;

/** The target of a redirect; undefined if the response is not one. */
export function redirectTarget({ url }: Request, { status, headers }: Response): URL | undefined {
  const { location } = headers;
  if (!REDIRECTS.has(status) || location === undefined) return undefined;
  if (!URL.canParse(location, url.href))
    throw new RedirectRefused(`${url.origin} redirects (${status}) to '${location}', which is not an address.`);
  const target = new URL(location, url);
  // Credentials only come from the connection.
  target.username = target.password = target.hash = '';
  return target;
}

/**
 * Builds the request that follows a redirect. It must have the same effect, so method and body are kept, or there is no body to lose. It
 * stays at its origin: a response must not make a worker call another server, such as one in its own network.
 * @throws RedirectRefused
 */
export function redirected(request: Request, status: number, target: URL): Request {
  const { method, url, body } = request;
  const from = `${method} ${url.pathname} of ${url.origin} is redirected (${status}) to ${target.origin}${target.pathname}`;
  if (target.origin !== url.origin) {
    throw new RedirectRefused(
      `${from}: a redirect to another origin is not followed; another origin gets neither the body nor the credentials. ` +
        'Name a connection with that address in the task.',
    );
  }
  if (method === 'GET' && body === undefined) return { ...request, url: target };
  // At 301 and 302 a GET keeps its body; at 303 it would lose it.
  if (KEEPING.has(status) || (method === 'GET' && status !== 303)) return { ...request, url: target };
  throw new RedirectRefused(
    `${from}: it would become a GET without its body. Give that path in the task. If this answer is the success, accept it with 'expect: {status: [${status}]}'.`,
  );
}
