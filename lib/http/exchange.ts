import { type ClientRequest, type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { AnswerTooLarge, explainClientError } from './http-errors.ts';

/** One request to one address. */
export interface Request {
  readonly method: string;
  readonly url: URL;
  /** Names in lowercase. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** PEM of trusted certificate authorities; absent: those of the machine. */
  readonly ca?: string;
}

/** The raw response. */
export interface Response {
  readonly status: number;
  /** Names in lowercase; repeated headers are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

/** Time limit to connect, including TLS, in milliseconds: an address that drops packets would never fail. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Sends a request and reads the response, which may be a redirect. @throws AnswerTooLarge, CertificateRefused, InvalidRequest, Error with
 * the reason
 */
export async function exchange(request: Request, maxBytes: number, signal: AbortSignal): Promise<Response> {
  const { origin } = request.url;
  try {
    const response = await send(request, signal);
    const bytes = await read(response, origin, maxBytes);
    const headers = Object.entries(response.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]);
    return { status: response.statusCode ?? 0, headers: Object.fromEntries(headers) as Record<string, string>, bytes };
  } catch (error) {
    throw error instanceof AnswerTooLarge ? error : explainClientError(error, origin);
  }
}

function send(call: Request, signal: AbortSignal): Promise<IncomingMessage> {
  const { method, url, headers, body, ca } = call;
  const isSecure = url.protocol === 'https:';
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const options = { method, headers: { ...headers, ...length }, signal, ...(ca !== undefined && { ca }) };
  return new Promise((resolve, reject) => {
    const request = (isSecure ? requestSecure : requestPlain)(url, options);
    limitConnecting(request, isSecure);
    const fail = (error: NodeJS.ErrnoException): void => {
      // The server closed a reused connection before it received this request, so a GET can be repeated safely.
      const isStale = request.reusedSocket && error.code === 'ECONNRESET' && method === 'GET';
      if (isStale) resolve(send(call, signal));
      else reject(error);
    };
    request.once('response', resolve).once('error', fail).end(body);
  });
}

/** Limits connecting separately: a request that was never sent can always be retried. */
function limitConnecting(request: ClientRequest, isSecure: boolean): void {
  request.once('socket', (socket) => {
    if (request.reusedSocket) return;
    const timer = setTimeout(() => request.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1_000} s`)), CONNECT_TIMEOUT_MS);
    const stop = (): void => clearTimeout(timer);
    socket.once(isSecure ? 'secureConnect' : 'connect', stop);
    request.once('close', stop);
  });
}

async function read(response: IncomingMessage, origin: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if ((bytes += chunk.length) > maxBytes) throw new AnswerTooLarge(`The answer of ${origin} has more than ${maxBytes} bytes.`);
  }
  return Buffer.concat(chunks);
}
