import { createServer, type IncomingMessage, request as ask, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A fault for a call: a different response; `reset` before the server receives it; `lose` its response; `hang` without a response. */
export type Misbehaviour =
  { readonly status: number; readonly body: string; readonly headers?: Record<string, string> } | 'reset' | 'lose' | 'hang';

/** Inspects a call, such as `POST /path?query`, and may run code meanwhile; undefined: the server answers. */
export type Rule = (call: string, request: IncomingMessage) => Misbehaviour | undefined | Promise<Misbehaviour | undefined>;

/** A proxy in front of a real HTTP server that fails on demand. */
export interface HttpFront {
  readonly port: number;
  /** Undefined: forwards everything. */
  rule: Rule | undefined;
  close(): void;
}

/** @param target `http://127.0.0.1:port` */
export async function httpFront(target: string): Promise<HttpFront> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => void answer(request, response, Buffer.concat(chunks)));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));

  const answer = async (request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> => {
    const done = await front.rule?.(`${request.method} ${request.url}`, request);
    if (done === 'hang') return;
    if (done === 'reset') return void request.socket.destroy();
    if (typeof done === 'object') return void response.writeHead(done.status, done.headers).end(done.body);
    const address = new URL(request.url ?? '', target);
    const headers = { ...request.headers, host: address.host };
    const onward = ask(address, { method: request.method ?? 'GET', headers, agent: false }, (answered) => {
      if (done === 'lose') return void answered.on('end', () => request.socket.destroy()).resume();
      response.writeHead(answered.statusCode ?? 500, answered.headers);
      answered.pipe(response);
    });
    onward.once('error', () => request.socket.destroy());
    onward.end(body);
  };
  const front: HttpFront = {
    port: (server.address() as AddressInfo).port,
    rule: undefined,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return front;
}
