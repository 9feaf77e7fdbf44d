import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Payload } from '@temporalio/common';
import type { SluiceCodec } from './codec.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** Payloads as the Temporal UI sends them: the protobuf message as JSON, with bytes in base64. */
interface PayloadsMessage {
  readonly payloads?: readonly { readonly metadata?: Readonly<Record<string, string>>; readonly data?: string }[];
}

/** The largest history that Temporal keeps, in base64. */
const MAX_BODY_BYTES = 80 * 1024 * 1024;

/** Who may call a codec server, and its port. */
export interface CodecServerOptions {
  /** The origin of the Temporal UI, such as `http://127.0.0.1:8233`; other origins are rejected. */
  readonly origin: string;
  /** 0 picks a free port. */
  readonly port: number;
}

/**
 * Decodes payloads for the Temporal UI on loopback: `POST /decode`, Temporal's codec server protocol. It has no encode endpoint: a caller
 * who can encrypt plans can run them.
 */
export async function serveCodec(codec: SluiceCodec, { origin, port }: CodecServerOptions): Promise<Server> {
  const server = createServer((request, response) => {
    answer(codec, origin, request, response).catch((error: unknown) => {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(`${errorText(error)}\n`);
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return server;
}

async function answer(codec: SluiceCodec, origin: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const refuse = (status: number, why: string): void => {
    response.writeHead(status, { 'content-type': 'text/plain' }).end(`${why}\n`);
  };
  // The browser sets the origin. A DNS rebinding attack sends the attacker's name as the host.
  if (request.headers.origin !== origin) return refuse(403, `Only the Temporal UI at ${origin} may ask.`);
  if (!isLoopback(request.headers.host)) return refuse(403, 'The host has to be 127.0.0.1 or localhost.');
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'origin');
  if (request.method === 'OPTIONS') {
    response.setHeader('access-control-allow-methods', 'POST');
    response.setHeader('access-control-allow-headers', 'content-type, x-namespace, authorization, authorization-extras');
    response.writeHead(204).end();
    return;
  }
  if (request.method !== 'POST' || request.url !== '/decode') return refuse(404, 'This server answers POST /decode.');
  const body = JSON.parse((await readBody(request)).toString('utf8')) as PayloadsMessage;
  const payloads = (body.payloads ?? []).map((payload) => toMessage(codec.open(fromMessage(payload))));
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ payloads }));
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if ((bytes += chunk.length) > MAX_BODY_BYTES) throw new Error(`The request has more than ${MAX_BODY_BYTES} bytes.`);
  }
  return Buffer.concat(chunks);
}

function isLoopback(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host ?? '');
}

type Message = NonNullable<PayloadsMessage['payloads']>[number];

function fromMessage({ metadata = {}, data = '' }: Message): Payload {
  const entries = Object.entries(metadata).map(([name, value]): [string, Uint8Array] => [name, Buffer.from(value, 'base64')]);
  return { metadata: Object.fromEntries(entries), data: Buffer.from(data, 'base64') };
}

function toMessage({ metadata, data }: Payload): Message {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
  return { metadata: Object.fromEntries(entries) as Record<string, string>, data: Buffer.from(data ?? []).toString('base64') };
}
