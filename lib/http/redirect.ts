import { RedirectRefused } from './http-errors.ts';
import type { Request, Response } from './exchange.ts';

/** Codes that send a request elsewhere, where `location` says to. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Those that ask for the same request; the others turn a POST into a GET without its body. */
const KEEPING: ReadonlySet<number> = new Set([307, 308]);
/** As browsers do. */
export const MAX_REDIRECTS = 20;

/** Where a redirect leads; undefined when an answer is none. */
export function redirectTarget({ url }: Request, { status, headers }: Response): URL | undefined {
  const { location } = headers;
  if (!REDIRECTS.has(status) || location === undefined) return undefined;
  if (!URL.canParse(location, url.href))
    throw new RedirectRefused(`${url.origin} redirects (${status}) to '${location}', which is not an address.`);
  const target = new URL(location, url);
  // The credentials of a request come from its connection, and from nowhere else.
  target.username = target.password = target.hash = '';
  return target;
}

/**
 * The request that follows a redirect. It never has another effect than the first: it keeps method and body, or there are none to keep. It
 * stays at its origin: an answer must not choose whom a worker calls, such as a server of its own network.
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
  // A GET stays one at 301 and 302 too, with its body; at 303 it would lose it.
  if (KEEPING.has(status) || (method === 'GET' && status !== 303)) return { ...request, url: target };
  throw new RedirectRefused(
    `${from}: it would become a GET without its body. Give that path in the task. If this answer is the success, accept it with 'expect: {status: [${status}]}'.`,
  );
}
