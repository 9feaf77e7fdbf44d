import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflateRawSync, deflateSync, gzipSync, brotliCompressSync } from 'node:zlib';

/** A received request. */
export interface SeenRequest {
  /** `POST /path`, prefixed with `other` or `tls` for these origins. */
  readonly call: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** An HTTP service with the faults of real ones, at three origins. */
export interface OddService {
  readonly url: string;
  readonly otherUrl: string;
  /** Has a self-signed certificate. */
  readonly tlsUrl: string;
  /** The file of the certificate. */
  readonly caFile: string;
  readonly seen: SeenRequest[];
  /** Responses by path that replace the default ones. */
  readonly replies: Map<string, Answer>;
  /** The requests to a path, in order. */
  callsOf(path: string): SeenRequest[];
  close(): void;
}

/** A response; its body is sent unchanged. */
export type Answer = readonly [status: number, headers: Record<string, string>, body?: string | Buffer];

const JSON_TYPE = { 'content-type': 'application/json' };
const MÜLLER = '{"name":"Müller"}';

/** @param folder for its certificate */
export async function openOddService(folder: string): Promise<OddService> {
  const [key, caFile] = [join(folder, 'odd-key.pem'), join(folder, 'odd-certificate.pem')];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=odd'],
    ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', caFile],
  ]);
  const seen: SeenRequest[] = [];
  const replies = new Map<string, Answer>();
  const callsOf = (path: string): SeenRequest[] => seen.filter(({ call }) => call.endsWith(` ${path}`));
  const listener =
    (origin: string): RequestListener =>
    (request, response) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        const path = request.url ?? '';
        seen.push({ call: `${origin}${request.method} ${path}`, headers: request.headers, body });
        answer(path, request, response, body);
      });
    };
  const plain = await listening(createServer(listener('')));
  const other = await listening(createServer(listener('other ')));
  const tls = await listening(createSecureServer({ key: readFileSync(key), cert: readFileSync(caFile) }, listener('tls ')));

  function answer(path: string, { method, headers }: IncomingMessage, response: ServerResponse, body: string): void {
    if (path === '/hang') return;
    if (path === '/slow') return void setTimeout(() => response.writeHead(200, JSON_TYPE).end('{"done": true}'), 2_000);
    if (path === '/cut') {
      response.writeHead(200, { ...JSON_TYPE, 'content-length': '1000' }).write('{"a":');
      return void setTimeout(() => response.destroy(), 50);
    }
    const echo: Answer = [200, JSON_TYPE, JSON.stringify({ method, headers, body })];
    const known = path === '/echo' ? echo : (replies.get(path) ?? answers(path)[path]);
    const [status, sent, content] = known ?? [404, JSON_TYPE, '{"error":"no such page"}'];
    response.writeHead(status, sent).end(content);
  }

  function answers(path: string): Record<string, Answer> {
    const first = callsOf(path).length === 1;
    const otherUrl = urlOf(other);
    return {
      '/301': [301, { location: '/echo' }],
      '/302': [302, { location: '/echo' }],
      '/303': [303, { location: '/echo' }],
      '/307': [307, { location: '/echo' }],
      '/308': [308, { location: 'echo' }],
      '/302-other': [302, { location: `${otherUrl}/echo` }],
      '/307-other': [307, { location: `${otherUrl}/echo` }],
      '/302-file': [302, { location: 'file:///etc/passwd' }],
      '/loop': [302, { location: '/loop' }],
      '/304': [304, {}],
      '/latin1': [200, { 'content-type': 'application/json; charset=iso-8859-1' }, Buffer.from(MÜLLER, 'latin1')],
      '/latin1-quoted': [200, { 'content-type': 'application/json; charset="ISO-8859-1"' }, Buffer.from(MÜLLER, 'latin1')],
      '/windows-1252': [200, { 'content-type': 'text/plain; charset=windows-1252' }, Buffer.from([0x80, 0x20, 0x93, 0xfc, 0x94])],
      '/utf-16': [200, { 'content-type': 'application/json; charset=utf-16' }, Buffer.from(`\ufeff${MÜLLER}`, 'utf16le')],
      '/utf-7': [200, { 'content-type': 'application/json; charset=utf-7' }, MÜLLER],
      '/not-utf-8': [200, JSON_TYPE, Buffer.from(MÜLLER, 'latin1')],
      '/not-utf-8-failure': [500, { 'content-type': 'text/plain' }, Buffer.from('für später', 'latin1')],
      '/bom': [200, JSON_TYPE, `\ufeff${MÜLLER}`],
      '/gzip': [200, { ...JSON_TYPE, 'content-encoding': 'gzip' }, gzipSync(MÜLLER)],
      '/deflate': [200, { ...JSON_TYPE, 'content-encoding': 'deflate' }, deflateSync(MÜLLER)],
      '/deflate-raw': [200, { ...JSON_TYPE, 'content-encoding': 'deflate' }, deflateRawSync(MÜLLER)],
      '/br': [200, { ...JSON_TYPE, 'content-encoding': 'br' }, brotliCompressSync(MÜLLER)],
      '/gzip-twice': [200, { ...JSON_TYPE, 'content-encoding': 'gzip, gzip' }, gzipSync(gzipSync(MÜLLER))],
      '/gzip-cut': [200, { ...JSON_TYPE, 'content-encoding': 'gzip' }, gzipSync(MÜLLER).subarray(0, -10)],
      '/gzip-bomb': [200, { ...JSON_TYPE, 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(20_000_000, ' '))],
      '/zstd': [200, { ...JSON_TYPE, 'content-encoding': 'zstd' }, 'xyz'],
      '/problem': [200, { 'content-type': 'application/problem+json' }, MÜLLER],
      '/text-json': [200, { 'content-type': 'text/json' }, MÜLLER],
      '/plain-json': [200, { 'content-type': 'text/plain' }, MÜLLER],
      '/no-type': [200, {}, '[1]'],
      '/plain-number': [200, { 'content-type': 'text/plain; charset=utf-8' }, '1.10'],
      '/broken-json': [200, JSON_TYPE, '{"a":'],
      '/empty': [200, { ...JSON_TYPE, 'content-encoding': 'gzip' }],
      '/204': [204, {}],
      '/big': [200, JSON_TYPE, '{"order_id": 9007199254740993, "amount": 0.1234567890123456789, "huge": 1e400}'],
      '/429-date': first ? [429, { 'retry-after': new Date(Date.now() + 4_000).toUTCString() }] : [200, JSON_TYPE, '{}'],
      '/503-seconds': first ? [503, { 'retry-after': '3' }] : [200, JSON_TYPE, '{}'],
      '/page-1': [200, JSON_TYPE, '{"items": [1], "next": "/page-2"}'],
      '/page-2': [200, JSON_TYPE, '{"items": [2]}'],
    };
  }

  return {
    url: urlOf(plain),
    otherUrl: urlOf(other),
    tlsUrl: urlOf(tls).replace('http:', 'https:'),
    caFile,
    seen,
    replies,
    callsOf,
    close() {
      for (const server of [plain, other, tls]) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

async function listening<T extends Server>(server: T): Promise<T> {
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return server;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
