import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../workflows/plan/values/json.ts';

/** A request that an inbox received. */
export interface Received {
  readonly path: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: JsonObject;
}

/** An HTTP server that records requests, and returns configured responses. */
export interface Inbox {
  readonly url: string;
  readonly seen: Received[];
  answer: readonly [status: number, text: string, headers?: Record<string, string>];
  /** Clears the recorded requests and restores successful responses. */
  reset(): void;
  close(): void;
}

const WELL = [200, 'ok'] as const;

export async function openInbox(): Promise<Inbox> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      inbox.seen.push({ path: request.url, headers: request.headers, body: JSON.parse(body || 'null') as JsonObject });
      response.writeHead(inbox.answer[0], inbox.answer[2]).end(inbox.answer[1]);
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const inbox: Inbox = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    answer: WELL,
    reset() {
      inbox.seen.length = 0;
      inbox.answer = WELL;
    },
    close: () => void server.close(),
  };
  return inbox;
}
