import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { runTool } from '../../dev/servers/run-tool.ts';

/** Servers that answer with the secrets of the client, like a broken or hostile server. */
export interface RogueServers {
  readonly ports: Readonly<Record<'http' | 'https' | 'postgres' | 'mysql' | 'other', number>>;
  /** The certificate of the HTTPS server. */
  readonly certificateFile: string;
  /** The path and the body of each request to the HTTP servers. */
  readonly received: readonly { readonly path: string; readonly body: string }[];
  close(): void;
}

/** Minimum size of a response to a path with `/big`, in bytes: more than a run stores. */
const BIG = 70_000;

/**
 * @param says returns the text of the responses, given the ports: all secrets in all encodings
 * @param folder for a certificate
 */
export async function openRogueServers(says: (ports: RogueServers['ports']) => string, folder: string): Promise<RogueServers> {
  const [key, certificateFile] = [join(folder, 'rogue-key.pem'), join(folder, 'rogue.pem')];
  await runTool('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificateFile],
  ]);
  const received: { path: string; body: string }[] = [];
  let said = '';
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const text = `${sentBy(request)} ${said}`;
    const path = request.url ?? '';
    const isGood = path.includes('/good');
    const body = isGood
      ? JSON.stringify({ answer: text, list: [{ [text]: text }], more: path.includes('/big') ? '.'.repeat(BIG) : '' })
      : `<Error><Code>No</Code><Message>${text}</Message></Error>`;
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .once('end', () => {
        received.push({ path, body: Buffer.concat(chunks).toString() });
        response.writeHead(isGood ? 200 : 403, { 'content-type': isGood ? 'application/json' : 'application/xml' }).end(body);
      });
  };
  const servers = {
    http: createHttpServer(answer),
    https: createHttpsServer({ key: readFileSync(key), cert: readFileSync(certificateFile) }, answer),
    postgres: talking((socket) => socket.once('data', () => socket.end(postgresError(said)))),
    mysql: talking((socket) => socket.end(mysqlError(said))),
    other: talking((socket) => socket.end(said)),
  };
  const opened = await Promise.all(Object.entries(servers).map(async ([name, server]) => [name, await listen(server)] as const));
  const ports = Object.fromEntries(opened) as RogueServers['ports'];
  said = says(ports);
  return {
    ports,
    certificateFile,
    received,
    close: () => {
      for (const server of Object.values(servers)) server.close();
    },
  };
}

function sentBy({ headers, url }: IncomingMessage): string {
  return `you sent ${String(headers.authorization)} to ${String(url)}`;
}

function talking(talk: (socket: Socket) => void): Server {
  return createServer((socket) => talk(socket.on('error', () => undefined)));
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function postgresError(message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C28P01\0M${message}\0\0`);
  const head = Buffer.alloc(5, 'E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** An error packet instead of a handshake. */
function mysqlError(message: string): Buffer {
  const body = Buffer.concat([Buffer.from([0xff, 0x15, 0x04]), Buffer.from(`#28000${message}`)]);
  const head = Buffer.alloc(4);
  head.writeUIntLE(body.length, 0, 3);
  return Buffer.concat([head, body]);
}
