import type { HttpService } from './connections.ts';
import { withinTime } from './time-limit.ts';
import type { Json, JsonObject } from '../workflows/plan/json.ts';

/** A call of a service. */
export interface HttpCall {
  readonly method?: string;
  /** Under the address of the connection, with its query; or a full address at the same host. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: Json;
  /** A redirect is an answer like others; absent: it is followed. */
  readonly redirect?: 'manual';
  /** How long the answer may take, its body included, in milliseconds. Default: 60 s. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

/** What it has answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON where it is some, else the text; null where there is nothing. */
  readonly body: Json;
}

/** An address that does not belong to the connection. */
export class ForeignAddress extends Error {
  override readonly name = 'ForeignAddress';
}

/** Longer answers are refused: they are data, and data belongs into S3. In bytes. */
const MOST = 10 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Calls a service. Whatever its status: an answer is an answer.
 * @throws ForeignAddress when the path leads to another host, RangeError when the answer is too long, TypeError and others of `fetch` when there is none
 */
export async function callHttp(connection: HttpService, call: HttpCall): Promise<HttpAnswer> {
  const { method = 'GET', path, headers, body, redirect = 'follow', timeoutMs = DEFAULT_TIMEOUT_MS } = call;
  const address = addressOf(connection, path);
  return withinTime(timeoutMs, call.signal, async (signal) => {
    const response = await fetch(address, {
      method,
      headers: {
        accept: 'application/json, */*;q=0.5',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...authorization(connection),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect,
      signal,
    });
    return { status: response.status, headers: Object.fromEntries(response.headers), body: bodyOf(await read(response)) };
  });
}

function addressOf({ url }: HttpService, path: string): URL {
  const address = /^https?:\/\//.test(path) ? new URL(path) : new URL(`${url.replace(/\/$/, '')}/${path.replace(/^\//, '')}`);
  const { origin } = new URL(url);
  // The credentials of the connection are for its own host.
  if (address.origin !== origin) throw new ForeignAddress(`'${path}' is not at ${origin}, where the connection is.`);
  return address;
}

function authorization({ username, password = '', token }: HttpService): Record<string, string> {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (username === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

async function read(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    if ((bytes += chunk.length) > MOST) throw new RangeError(`The answer has more than ${MOST} bytes.`);
  }
  return Buffer.concat(chunks).toString();
}

function bodyOf(text: string): Json {
  if (text === '') return null;
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return text;
  }
}
